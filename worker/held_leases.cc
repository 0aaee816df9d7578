#include "worker/held_leases.h"

#include <utility>

namespace gridsweep::worker {

void HeldLeases::Add(HeldLease held) {
  MutexLock lock(mutex_);
  std::string token = held.lease.ref().token();
  leases_.insert_or_assign(std::move(token), std::move(held));
}

void HeldLeases::Remove(const std::string& token) {
  MutexLock lock(mutex_);
  leases_.erase(token);
}

void HeldLeases::SetSpooled(const std::string& token) {
  MutexLock lock(mutex_);
  const auto found = leases_.find(token);
  if (found != leases_.end()) found->second.spooled = true;
}

std::vector<HeldLease> HeldLeases::All() const {
  MutexLock lock(mutex_);
  std::vector<HeldLease> all;
  for (const auto& [token, held] : leases_) all.push_back(held);
  return all;
}

std::vector<HeldLease> HeldLeases::Unfinished() const {
  std::vector<HeldLease> all = All();
  std::erase_if(all, [](const HeldLease& held) { return held.spooled; });
  return all;
}

size_t HeldLeases::size() const {
  MutexLock lock(mutex_);
  return leases_.size();
}

}  // namespace gridsweep::worker

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

std::vector<HeldLease> HeldLeases::All() const {
  MutexLock lock(mutex_);
  std::vector<HeldLease> all;
  for (const auto& [token, held] : leases_) all.push_back(held);
  return all;
}

size_t HeldLeases::size() const {
  MutexLock lock(mutex_);
  return leases_.size();
}

}  // namespace gridsweep::worker

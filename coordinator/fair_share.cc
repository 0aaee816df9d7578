#include "coordinator/fair_share.h"

#include <algorithm>
#include <tuple>

namespace gridsweep::coordinator {

void FairShare::Offer(SweepInQueue about) {
  Sweep& sweep = sweeps_[about.queue.sweep_id];
  sweep.of_user = &users_[about.submitted_by];
  sweep.about = std::move(about);
  sweep.offered = true;
}

void FairShare::Exhausted(int64_t sweep_id) {
  if (const auto found = sweeps_.find(sweep_id); found != sweeps_.end()) {
    found->second.offered = false;
  }
}

void FairShare::ExhaustAll() {
  for (auto& [id, sweep] : sweeps_) sweep.offered = false;
}

void FairShare::Counted(const std::vector<Leased>& leased) {
  for (auto& [user, count] : users_) count = 0;
  for (auto& [id, sweep] : sweeps_) sweep.leased = 0;
  for (const Leased& l : leased) {
    users_[l.submitted_by] += l.count;
    if (const auto found = sweeps_.find(l.sweep_id); found != sweeps_.end()) {
      found->second.leased = l.count;
    }
  }
}

void FairShare::Counted(int64_t sweep_id, int64_t leased, int64_t max_parallel) {
  const auto found = sweeps_.find(sweep_id);
  if (found == sweeps_.end()) return;
  Granted(sweep_id, leased - found->second.leased);
  found->second.about.max_parallel = max_parallel;
}

void FairShare::Granted(int64_t sweep_id, int64_t runs) {
  const auto found = sweeps_.find(sweep_id);
  if (found == sweeps_.end()) return;
  found->second.leased += runs;
  *found->second.of_user += runs;
}

const SweepInQueue* FairShare::Pick(const Room& room) const {
  const Sweep* best = nullptr;
  const auto rank = [](const Sweep& s) {
    return std::tuple(-int64_t{s.about.priority}, *s.of_user, s.leased, s.about.queue.sweep_id);
  };
  for (const auto& [id, sweep] : sweeps_) {
    const SweepInQueue& about = sweep.about;
    if (!sweep.offered || about.memory_bytes > room.free_memory ||
        (about.max_parallel > 0 && sweep.leased >= about.max_parallel) ||
        (about.queue.resource_class != kAnyClass &&
         about.queue.resource_class != room.resource_class)) {
      continue;
    }
    if (best == nullptr || rank(sweep) < rank(*best)) best = &sweep;
  }
  return best == nullptr ? nullptr : &best->about;
}

bool FairShare::offers_any() const {
  return std::any_of(sweeps_.begin(), sweeps_.end(),
                     [](const auto& s) { return s.second.offered; });
}

bool FairShare::offers_limited() const {
  return std::any_of(sweeps_.begin(), sweeps_.end(), [](const auto& s) {
    return s.second.offered && s.second.about.max_parallel > 0;
  });
}

std::vector<Queue> FairShare::exhausted() const {
  std::vector<Queue> queues;
  for (const auto& [id, sweep] : sweeps_) {
    if (!sweep.offered) queues.push_back(sweep.about.queue);
  }
  return queues;
}

std::vector<Queue> FairShare::ForgetIdle() {
  std::vector<Queue> queues;
  std::erase_if(sweeps_, [&](const auto& entry) {
    const Sweep& sweep = entry.second;
    if (sweep.offered || sweep.leased > 0) return false;
    queues.push_back(sweep.about.queue);
    return true;
  });
  return queues;
}

}  // namespace gridsweep::coordinator

#include "coordinator/queue_floor.h"

#include <algorithm>

namespace gridsweep::coordinator {
namespace {

constexpr int kShareOfTime = 50;

}  // namespace

int64_t QueueFloor::From(const Queue& queue) const {
  const auto found = floors_.find(queue);
  return found == floors_.end() ? 0 : found->second;
}

bool QueueFloor::RescanDue(absl::Time now, bool wanted) const {
  // A clock that was set back must not put rescans off.
  if (now < rescan_began_ || now - rescan_began_ >= limits_.rescan_every) return true;
  const absl::Duration pause =
      std::max(limits_.least_pause, kShareOfTime * (rescan_ended_ - rescan_began_));
  return wanted && now - rescan_ended_ >= pause;
}

void QueueFloor::Rescanned(absl::Time began, absl::Time ended,
                           const std::map<Queue, int64_t>& first) {
  rescan_began_ = began;
  rescan_ended_ = ended;
  for (const auto& [queue, position] : first) floors_[queue] = position;
}

}  // namespace gridsweep::coordinator

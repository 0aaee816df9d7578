#include "worker/checkpoint_policy.h"

#include <algorithm>

namespace gridsweep::worker {
namespace {

constexpr int kTrainingPerSaving = 50;  // times: 2%

}  // namespace

bool CheckpointPolicy::DueByTime(absl::Time now) const {
  return now - last_ >= std::max(interval_, kTrainingPerSaving * cost_);
}

bool CheckpointPolicy::WorthOnTheWayOut(uint64_t bytes) const {
  // What was measured had its share of disk and network; now all save at once.
  const double rate = measured_ ? bytes_per_second_ : bytes_per_second_ / company_;
  return absl::Seconds(static_cast<double>(bytes) / rate) <= grace_;
}

void CheckpointPolicy::Saved(absl::Time now, absl::Duration took, uint64_t bytes) {
  last_ = now;
  cost_ = took;
  bytes_per_second_ = static_cast<double>(bytes) / std::max(1e-6, absl::ToDoubleSeconds(took));
  measured_ = true;
}

}  // namespace gridsweep::worker

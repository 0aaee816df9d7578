// When a run's checkpoint is worth its time.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

namespace gridsweep::worker {

// Decides from what saving has cost so far. Times are of a steady clock, passed in.
class CheckpointPolicy {
 public:
  // `interval`: the shortest time between two saves. `grace`: what a worker that is told to go
  // has for its last save, `company` runs saving side by side.
  CheckpointPolicy(absl::Duration interval, absl::Duration grace, int company, absl::Time start)
      : interval_(interval), grace_(grace), company_(company), last_(start) {}

  // While training goes on: not before `interval`, and never so often that saving takes more
  // than 2% of the time.
  bool DueByTime(absl::Time now) const;
  // On the way out: whether a save of `bytes` may be expected to end within the grace. At the rate
  // that was measured; before any was, at one that a slow disk or network reaches.
  bool WorthOnTheWayOut(uint64_t bytes) const;

  void Saved(absl::Time now, absl::Duration took, uint64_t bytes);
  // A save that failed is tried again after an interval.
  void Failed(absl::Time now) { last_ = now; }

 private:
  const absl::Duration interval_, grace_;
  const int company_;
  absl::Time last_;
  absl::Duration cost_;  // of the last save
  double bytes_per_second_ = 20e6;
  bool measured_ = false;
};

}  // namespace gridsweep::worker

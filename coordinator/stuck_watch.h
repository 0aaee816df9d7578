// Finds runs that heartbeats still report and that have stopped advancing.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/mutex.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// A run is stuck once it has not advanced for longer than both limits.
struct StuckLimits {
  absl::Duration least = absl::Minutes(5);  // 0: no run ever is
  double medians = 100;                     // times what its phase takes for one step
};

// What a heartbeat says of each lease: a step in training, and in the other
// phases their own counter. Only time that heartbeats have covered counts: neither an
// outage nor a suspended coordinator makes a run stuck. An upload is never:
// it waits for the coordinators themselves, and its run is trained.
class StuckWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `longest_gap`: what counts of the time between two heartbeats at most, whichever coordinators
  // heard them.
  StuckWatch(StuckLimits limits, absl::Duration longest_gap)
      : limits_(limits), longest_gap_(longest_gap) {}

  // For how long the lease has not advanced, where that is too long. `beats`: of the worker that
  // were answered before this one, by whichever coordinator; 0 where it does not count them.
  std::optional<absl::Duration> Observe(int64_t worker_id, const v1::LeaseProgress& progress,
                                        uint64_t beats, Time now) LOCKS_EXCLUDED(mutex_);
  // Forgets the worker's leases that its last heartbeat, at `now`, did not report: so that what is
  // kept does not grow with the runs that it has had.
  void KeepOnly(int64_t worker_id, Time now) LOCKS_EXCLUDED(mutex_);

 private:
  struct Lease {
    v1::Phase phase;
    uint64_t step, phase_done, beats;
    absl::Duration idle;  // since it last advanced
    Time seen;
    // The latest of what a step took, in seconds, by phase.
    std::array<std::vector<double>, v1::Phase_ARRAYSIZE> samples;
  };

  const StuckLimits limits_;
  const absl::Duration longest_gap_;
  Mutex mutex_;
  // By worker and token.
  std::unordered_map<int64_t, std::unordered_map<std::string, Lease>> leases_ GUARDED_BY(mutex_);
  Time next_purge_ GUARDED_BY(mutex_) = Time::min();
};

}  // namespace gridsweep::coordinator

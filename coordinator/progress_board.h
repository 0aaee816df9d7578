// How far leased runs are and what they log, as the last heartbeats told; in memory, from where the
// log hub takes new lines to the database.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/mutex.h"
#include "coordinator/store/run_logs.h"
#include "gridsweep/v1/dispatch.pb.h"
#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::coordinator {

class ProgressBoard {
 public:
  // A run that is not heard of for `keep` is forgotten.
  explicit ProgressBoard(absl::Duration keep = absl::Minutes(10)) : keep_(keep) {}

  void Report(const v1::LeaseProgress& progress) LOCKS_EXCLUDED(mutex_);
  void Forget(int64_t run_id) LOCKS_EXCLUDED(mutex_);
  // The last lines of the run's current attempt, up to 50 of them and 16 kB.
  std::string LogTail(int64_t run_id) const LOCKS_EXCLUDED(mutex_);
  // What runs have logged since the last call, to be kept; and back, where it could not be.
  std::vector<NewLines> TakeNewLines() LOCKS_EXCLUDED(mutex_);
  void PutBack(std::vector<NewLines> lines) LOCKS_EXCLUDED(mutex_);
  // Fills phase, step, loss and error where `run.run_id()` is on the board.
  void Fill(v1::RunProgress& run) const LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    v1::Phase phase;
    uint64_t step;
    uint64_t total_steps;
    std::optional<double> loss, error_cm;
    absl::Time at;
    int attempt = 0;
    std::deque<std::string> log;
    size_t new_lines = 0;  // of the last of `log`, those not taken yet
    size_t log_bytes = 0;
  };
  const absl::Duration keep_;
  mutable Mutex mutex_;
  std::unordered_map<int64_t, Entry> entries_ GUARDED_BY(mutex_);
  absl::Time next_purge_ GUARDED_BY(mutex_) = absl::InfinitePast();
};

// Finds leases that two successive heartbeats of their worker left out.
class LeftOut {
 public:
  // Whether to look, after `pause` since the last time that this was so: workers that report much
  // oftener than they are asked to cost no more for it.
  bool Due(int64_t worker_id, absl::Time now, absl::Duration pause) LOCKS_EXCLUDED(mutex_);
  // `held`: tokens of the worker's leases; `reported`: those in this
  // heartbeat. The tokens to release: missing now and the time before.
  std::vector<std::string> Observe(int64_t worker_id, const std::vector<std::string>& held,
                                   const std::vector<std::string>& reported) LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  std::unordered_map<int64_t, std::vector<std::string>> missing_ GUARDED_BY(mutex_);
  std::unordered_map<int64_t, absl::Time> looked_ GUARDED_BY(mutex_);
  size_t next_purge_ GUARDED_BY(mutex_) = 1024;
};

}  // namespace gridsweep::coordinator

// Calls that the token gate refuses: counted, and told in the audit log at a bounded rate.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>

#include "common/metrics.h"
#include "common/mutex.h"

namespace gridsweep {

enum class RefusedFor { kNoToken, kUnknownToken, kRole, kUnknownMethod };

// gridsweep_refused_calls_total{reason}: no_token, unknown_token (also expired and revoked ones),
// role, unknown_method. Outlives the gates that it is given to. Thread-safe.
class RefusedCalls {
 public:
  // A line each `every` on the average, of `burst` at once at most.
  explicit RefusedCalls(Metrics& metrics, absl::Duration every = absl::Seconds(1), int burst = 10);

  // Logs "audit: METHOD by TOKEN refused: REASON" at warn, or counts the call towards what the next
  // such line says was left out. `token_name` "": nobody's. gRPC judges a call before it says from
  // where it comes: no peer is known.
  void Add(RefusedFor reason, const std::string& method, const std::string& token_name)
      LOCKS_EXCLUDED(mutex_);

 private:
  const absl::Duration every_;
  const int burst_;
  std::map<RefusedFor, prometheus::Counter*> counters_;
  Mutex mutex_;
  absl::Time full_at_ GUARDED_BY(mutex_) = absl::InfinitePast();  // when all of the burst is free
  int64_t left_out_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gridsweep

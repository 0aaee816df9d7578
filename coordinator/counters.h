// What a coordinator counts: docs/operations.md has the names and what they are for.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/metrics.h"
#include "coordinator/store/claims.h"
#include "coordinator/store/vitals.h"

namespace gridsweep::coordinator {

// References into `metrics`, which outlives it. Thread-safe.
class Counters {
 public:
  explicit Counters(Metrics& metrics);

  // Attempts that ended without a result: counts and logs each.
  void Ended(const std::vector<EndedLease>& leases);
  // One that ended with a result.
  void Finished(bool succeeded);
  // Waiting runs that were cancelled.
  void Cancelled(int64_t runs);
  // What the gauges show from now on.
  void Show(const Vitals& vitals);
  void Show(const RunCounts& runs);
  // Background work that the database ended for time.
  prometheus::Counter& BackgroundTimeouts(const std::string& work);
  // Where transactions of `lane` are timed.
  prometheus::Histogram& CommitSeconds(const std::string& lane);

  prometheus::Histogram& lease_wait_seconds;
  prometheus::Counter& lease_expired;
  prometheus::Counter& fenced_writes;
  prometheus::Counter& worker_quarantined;
  prometheus::Counter& artifact_bytes;
  prometheus::Counter& expansion_steps;

 private:
  Metrics& metrics_;
  // By the number of the state; those that are no end are not counted.
  std::array<prometheus::Counter*, kStates> finished_{};
  std::array<prometheus::Gauge*, kStates> runs_{};
  std::map<std::string, prometheus::Counter*> attempts_, wasted_;  // by outcome
  std::map<std::string, prometheus::Gauge*> workers_;
  prometheus::Gauge& heartbeat_age_;
  prometheus::Gauge& notification_queue_;
  prometheus::Gauge& oldest_transaction_;
};

}  // namespace gridsweep::coordinator

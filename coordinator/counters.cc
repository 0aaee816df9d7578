#include "coordinator/counters.h"

#include "common/log.h"

namespace gridsweep::coordinator {
namespace {

constexpr const char* kStateNames[kStates] = {"pending",   "backoff",  "paused", "leased",
                                              "succeeded", "diverged", "failed", "cancelled"};
constexpr int kFirstEnd = static_cast<int>(State::kSucceeded);

}  // namespace

Counters::Counters(Metrics& metrics)
    : lease_wait_seconds(metrics.Histogram(
          "gridsweep_lease_wait_seconds",
          "Seconds that a worker's call for runs waited before it was given some.",
          SecondsBuckets())),
      lease_expired(metrics.Counter("gridsweep_lease_expired_total",
                                    "Leases that ended for want of a heartbeat.")),
      fenced_writes(metrics.Counter("gridsweep_fenced_writes_total",
                                    "Writes of workers refused because their lease had ended.")),
      worker_quarantined(
          metrics.Counter("gridsweep_worker_quarantined_total", "Workers put into quarantine.")),
      artifact_bytes(metrics.Counter("gridsweep_artifact_bytes_total",
                                     "Bytes of result files and checkpoints stored.")),
      expansion_steps(metrics.Counter("gridsweep_expansion_steps_total",
                                      "Steps that validating and creating sweeps took.")),
      metrics_(metrics),
      heartbeat_age_(metrics.Gauge(
          "gridsweep_heartbeat_age_seconds",
          "Seconds since the last heartbeat of the most silent worker that holds leases.")),
      notification_queue_(metrics.Gauge("pg_notification_queue_usage",
                                        "Fraction of PostgreSQL's notification queue in use.")),
      oldest_transaction_(metrics.Gauge(
          "pg_oldest_xact_start_timestamp_seconds",
          "When the oldest open transaction that this role may see began, Unix time; 0: none.")) {
  for (int i = 0; i < kStates; ++i) {
    runs_[i] = &metrics.Gauge("gridsweep_runs",
                              "Runs of all sweeps by state: leased every two seconds, the others "
                              "once a minute.",
                              {{"state", kStateNames[i]}});
    if (i < kFirstEnd) continue;
    finished_[i] =
        &metrics.Counter("gridsweep_runs_finished_total", "Runs that this coordinator saw end.",
                         {{"state", kStateNames[i]}});
  }
  for (const char* outcome : {"succeeded", "diverged", "failed", "released", "lost", "cancelled"}) {
    attempts_[outcome] =
        &metrics.Counter("gridsweep_attempts_total",
                         "Attempts at runs that this coordinator saw end.", {{"outcome", outcome}});
  }
  for (const char* reason : {"failed", "released", "lost"}) {
    wasted_[reason] = &metrics.Counter(
        "gridsweep_wasted_compute_seconds_total",
        "Seconds of work that ended with an attempt, since its grant or its last checkpoint.",
        {{"reason", reason}});
  }
  for (const char* state : {"run", "cordoned", "drained", "quarantined", "lost"}) {
    workers_[state] = &metrics.Gauge(
        "gridsweep_workers",
        "Workers seen in three lease times by what they were told; lost: seen in the last hour, "
        "but no more.",
        {{"state", state}});
  }
}

void Counters::Ended(const std::vector<EndedLease>& leases) {
  for (const EndedLease& lease : leases) {
    if (const auto found = attempts_.find(lease.outcome); found != attempts_.end()) {
      found->second->Increment();
    }
    if (const auto found = wasted_.find(lease.outcome); found != wasted_.end()) {
      found->second->Increment(lease.wasted_seconds);
    }
    const int state = static_cast<int>(lease.state);
    if (finished_[state] != nullptr) finished_[state]->Increment();
    const LogContext run(lease.run_id, lease.attempt, lease.worker);
    spdlog::info("run {}: attempt {} on {} {}, the run is {} now", lease.run_id, lease.attempt,
                 lease.worker, lease.outcome, kStateNames[state]);
  }
}

void Counters::Finished(bool succeeded) {
  attempts_.at(succeeded ? "succeeded" : "diverged")->Increment();
  finished_[static_cast<int>(succeeded ? State::kSucceeded : State::kDiverged)]->Increment();
}

void Counters::Cancelled(int64_t runs) {
  finished_[static_cast<int>(State::kCancelled)]->Increment(static_cast<double>(runs));
}

void Counters::Show(const Vitals& vitals) {
  for (const auto& [state, count] : vitals.workers) {
    workers_.at(state)->Set(static_cast<double>(count));
  }
  runs_[static_cast<int>(State::kLeased)]->Set(static_cast<double>(vitals.leased));
  heartbeat_age_.Set(vitals.heartbeat_age_seconds);
  notification_queue_.Set(vitals.notification_queue_usage);
  oldest_transaction_.Set(vitals.oldest_transaction);
}

void Counters::Show(const RunCounts& runs) {
  for (int i = 0; i < kStates; ++i) {
    // What the vitals show is newer.
    if (i != static_cast<int>(State::kLeased)) runs_[i]->Set(static_cast<double>(runs[i]));
  }
}

prometheus::Counter& Counters::BackgroundTimeouts(const std::string& work) {
  return metrics_.Counter("gridsweep_background_timeouts_total",
                          "Pieces of background work that the database ended for time.",
                          {{"work", work}});
}

prometheus::Histogram& Counters::CommitSeconds(const std::string& lane) {
  return metrics_.Histogram(
      "gridsweep_commit_seconds",
      "Seconds of a transaction, from its first statement to the commit, by what it is for.",
      SecondsBuckets(), {{"what", lane}});
}

}  // namespace gridsweep::coordinator

// The state machine of runs and leases, as operations: what each promises, whoever stores it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "coordinator/store/claims.h"
#include "coordinator/store/leases.h"
#include "coordinator/store/lifecycle.h"
#include "coordinator/store/results.h"

namespace gridsweep::coordinator {

// Each operation is atomic: it happens whole or not at all, and where two touch the same run,
// sweep or worker one waits for the other. Operations that queue a run give it a new position,
// behind all that were given out before; since a position is taken before the commit, runs may
// become visible in another order than that of their positions.
//
// A run is PENDING, BACKOFF, PAUSED, LEASED, SUCCEEDED, DIVERGED, FAILED or CANCELLED, and LEASED
// exactly while it has a lease. Each lease is one attempt, numbered from 1 without a gap;
// `failures` counts those attempts that ended by a fault of worker or machine. "Comes back" below
// means: CANCELLED where its sweep is cancelled or stopped, else PAUSED where that is paused, else
// PENDING.
//
// Errors of all: UNAVAILABLE when the storage cannot be reached; NOT_FOUND for a sweep or worker
// that there is not. LEASE_LOST is FAILED_PRECONDITION with that reason, and changes nothing.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  // What workers do. All but Register are fenced: a token that is not that of a live lease
  // changes nothing.

  // Leases of the worker's other incarnations end as lost and their runs come back. On the same
  // host that is a failure of each (its process ended by itself), on another it costs nothing.
  virtual absl::StatusOr<Registered> Register(const v1::RegisterRequest& request,
                                              const FailurePolicy& policy,
                                              const LogTails& log_tails) = 0;
  // PENDING → LEASED. claims.h has who gets what; a limited sweep never has more than max_parallel
  // leases; a request id that holds leases gets those again.
  virtual absl::StatusOr<std::vector<Claimed>> Claim(const std::vector<Demand>& demands,
                                                     absl::Duration ttl) = 0;
  // The named leases are held for `ttl` from now. Tells all that the incarnation holds, named or
  // not. FAILED_PRECONDITION, INCARNATION_REPLACED, when the worker has a newer one.
  virtual absl::StatusOr<Renewed> Renew(int64_t worker_id, const std::string& incarnation,
                                        const std::vector<Renewal>& renewals,
                                        absl::Duration ttl) = 0;
  // Names the run's checkpoint, unless it has one of a later step. LEASE_LOST.
  virtual absl::Status Checkpoint(const LeaseKey& key, const v1::CheckpointRef& checkpoint) = 0;
  // The runs come back; no failure. Passes over leases that have ended.
  virtual absl::StatusOr<std::vector<EndedLease>> Release(const std::vector<LeaseKey>& keys,
                                                          const std::string& why) = 0;
  // One failure more: FAILED once the sweep's max_attempts is reached, else BACKOFF or what
  // "comes back" says of a sweep that is not running. A streak of failures puts the worker in
  // quarantine and takes them back (quarantine.h). A repeat answers the run's state. LEASE_LOST.
  virtual absl::StatusOr<Failed> Fail(const LeaseKey& key, const std::string& error,
                                      const std::string& log_tail, const FailurePolicy& policy) = 0;
  // LEASED → SUCCEEDED or DIVERGED, with the run's one result. Ends the worker's streak. True
  // when this token had brought it before. LEASE_LOST.
  virtual absl::StatusOr<bool> Complete(const Completion& completion) = 0;

  // What time does. Leases past their time end as lost where `expire` says that heartbeats could
  // have come for a whole `ttl`, and the storage has been up for as long; their runs come back,
  // at no cost but for the fifth in a row without a later checkpoint, which is a failure.
  // BACKOFF → PENDING for those whose pause is over.
  virtual absl::StatusOr<coordinator::Upkeep> Upkeep(bool expire, absl::Duration ttl,
                                                     const FailurePolicy& policy,
                                                     const LogTails& log_tails) = 0;

  // What users do; lifecycle.h and workers.h say more.
  virtual absl::StatusOr<Affected> Pause(int64_t sweep_id) = 0;   // PENDING, BACKOFF → PAUSED
  virtual absl::StatusOr<int64_t> Resume(int64_t sweep_id) = 0;   // PAUSED → PENDING or BACKOFF
  virtual absl::StatusOr<Affected> Stop(int64_t sweep_id) = 0;    // all that wait → CANCELLED
  virtual absl::StatusOr<Affected> Cancel(int64_t sweep_id) = 0;  // and workers hear of it
  // Ended runs in `states` (of `run_ids` where there are any) lose result, failures and checkpoint
  // and are PENDING again, or PAUSED.
  virtual absl::StatusOr<int64_t> Retry(int64_t sweep_id, const std::vector<State>& states,
                                        const std::vector<int64_t>& run_ids) = 0;
  virtual absl::Status Cordon(const std::string& worker) = 0;
  virtual absl::Status Drain(const std::string& worker) = 0;
  virtual absl::Status Uncordon(const std::string& worker) = 0;
};

// In PostgreSQL, by the statements of this folder. For one thread at a time, as its Database is.
class PostgresLeaseStore final : public LeaseStore {
 public:
  explicit PostgresLeaseStore(Database& database) : database_(database) {}

  absl::StatusOr<Registered> Register(const v1::RegisterRequest& request,
                                      const FailurePolicy& policy,
                                      const LogTails& log_tails) override;
  absl::StatusOr<std::vector<Claimed>> Claim(const std::vector<Demand>& demands,
                                             absl::Duration ttl) override;
  absl::StatusOr<Renewed> Renew(int64_t worker_id, const std::string& incarnation,
                                const std::vector<Renewal>& renewals, absl::Duration ttl) override;
  absl::Status Checkpoint(const LeaseKey& key, const v1::CheckpointRef& checkpoint) override;
  absl::StatusOr<std::vector<EndedLease>> Release(const std::vector<LeaseKey>& keys,
                                                  const std::string& why) override;
  absl::StatusOr<Failed> Fail(const LeaseKey& key, const std::string& error,
                              const std::string& log_tail, const FailurePolicy& policy) override;
  absl::StatusOr<bool> Complete(const Completion& completion) override;
  absl::StatusOr<coordinator::Upkeep> Upkeep(bool expire, absl::Duration ttl,
                                             const FailurePolicy& policy,
                                             const LogTails& log_tails) override;
  absl::StatusOr<Affected> Pause(int64_t sweep_id) override;
  absl::StatusOr<int64_t> Resume(int64_t sweep_id) override;
  absl::StatusOr<Affected> Stop(int64_t sweep_id) override;
  absl::StatusOr<Affected> Cancel(int64_t sweep_id) override;
  absl::StatusOr<int64_t> Retry(int64_t sweep_id, const std::vector<State>& states,
                                const std::vector<int64_t>& run_ids) override;
  absl::Status Cordon(const std::string& worker) override;
  absl::Status Drain(const std::string& worker) override;
  absl::Status Uncordon(const std::string& worker) override;

 private:
  Database& database_;
};

}  // namespace gridsweep::coordinator

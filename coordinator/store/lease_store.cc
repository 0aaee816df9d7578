#include "coordinator/store/lease_store.h"

#include "coordinator/store/checkpoints.h"
#include "coordinator/store/workers.h"

namespace gridsweep::coordinator {
namespace {

// For the `live` of a worker that is told something, which nobody reads here.
constexpr absl::Duration kAnyTtl = absl::Seconds(60);

}  // namespace

absl::StatusOr<Registered> PostgresLeaseStore::Register(const v1::RegisterRequest& request,
                                                        const FailurePolicy& policy,
                                                        const LogTails& log_tails) {
  return RegisterWorker(database_, request, policy, log_tails);
}

absl::StatusOr<std::vector<Claimed>> PostgresLeaseStore::Claim(const std::vector<Demand>& demands,
                                                               absl::Duration ttl) {
  return ClaimRuns(database_, demands, ttl);
}

absl::StatusOr<Renewed> PostgresLeaseStore::Renew(int64_t worker_id, const std::string& incarnation,
                                                  const std::vector<Renewal>& renewals,
                                                  absl::Duration ttl) {
  return RenewLeases(database_, worker_id, incarnation, renewals, ttl);
}

absl::Status PostgresLeaseStore::Checkpoint(const LeaseKey& key,
                                            const v1::CheckpointRef& checkpoint) {
  return RecordCheckpoint(database_, key, checkpoint);
}

absl::StatusOr<std::vector<EndedLease>> PostgresLeaseStore::Release(
    const std::vector<LeaseKey>& keys, const std::string& why) {
  return ReleaseLeases(database_, keys, why);
}

absl::StatusOr<Failed> PostgresLeaseStore::Fail(const LeaseKey& key, const std::string& error,
                                                const std::string& log_tail,
                                                const FailurePolicy& policy) {
  return FailLease(database_, key, error, log_tail, policy);
}

absl::StatusOr<bool> PostgresLeaseStore::Complete(const Completion& completion) {
  return CompleteRun(database_, completion);
}

absl::StatusOr<coordinator::Upkeep> PostgresLeaseStore::Upkeep(bool expire, absl::Duration ttl,
                                                               const FailurePolicy& policy,
                                                               const LogTails& log_tails) {
  return DoUpkeep(database_, expire, ttl, policy, log_tails);
}

absl::StatusOr<Affected> PostgresLeaseStore::Pause(int64_t sweep_id) {
  return PauseSweep(database_, sweep_id);
}

absl::StatusOr<int64_t> PostgresLeaseStore::Resume(int64_t sweep_id) {
  return ResumeSweep(database_, sweep_id);
}

absl::StatusOr<Affected> PostgresLeaseStore::Stop(int64_t sweep_id) {
  return StopSweep(database_, sweep_id);
}

absl::StatusOr<Affected> PostgresLeaseStore::Cancel(int64_t sweep_id) {
  return CancelSweep(database_, sweep_id);
}

absl::StatusOr<int64_t> PostgresLeaseStore::Retry(int64_t sweep_id,
                                                  const std::vector<State>& states,
                                                  const std::vector<int64_t>& run_ids) {
  return RetrySweep(database_, sweep_id, states, run_ids);
}

absl::Status PostgresLeaseStore::Cordon(const std::string& worker) {
  return CordonWorker(database_, worker, kAnyTtl).status();
}

absl::Status PostgresLeaseStore::Drain(const std::string& worker) {
  return DrainWorker(database_, worker, kAnyTtl).status();
}

absl::Status PostgresLeaseStore::Uncordon(const std::string& worker) {
  return UncordonWorker(database_, worker, kAnyTtl).status();
}

}  // namespace gridsweep::coordinator

// LeaseStore in memory, on a clock that is set: the model that the statements are held against.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coordinator/queue_floor.h"
#include "coordinator/store/lease_store.h"

namespace gridsweep::coordinator {

// Faults that a model can be given, to see that its checks find them.
enum class Mutation {
  kNone,
  // Of the store.
  kCompleteWithoutFence,
  kReleaseIsAFailure,
  kVanishedMachineIsAFailure,
  kOneFailureTooMany,
  kLimitWithoutLock,
  kQuarantineKeepsFailures,
  kRetryKeepsResult,
  kDivergedIsRetried,
  kCancelForgetsThePaused,
  kClaimOfLockedRows,
  // Of the coordinators.
  kFloorWithoutRescan,
  kExpiryDuringOutage,
  kSuspensionIsNoOutage,
  kClockJumpIsNoOutage,
};

struct ModelSweep {
  int priority = 0;
  int max_parallel = 0;
  int max_attempts = 3;
  bool paused = false, stopped = false, cancelled = false;
  int64_t first_run = 0;
  int64_t runs = 0;
};
struct ModelAttempt {
  std::string token, outcome;
  bool counted = false;
  uint64_t checkpoint_step = 0;
  bool withdrawn = false;  // a retry has taken its result away
};
struct ModelLease {
  std::string token, incarnation, request_id;
  int64_t worker_id = 0;
  absl::Time expires_at;
  bool cancelling = false;
};
struct ModelRun {
  int64_t sweep_id = 0;
  State state = State::kPending;
  int64_t queue_pos = 0;
  std::optional<absl::Time> not_before;
  int attempt = 0;
  int failures = 0;
  std::optional<ModelLease> lease;
  std::optional<std::string> result;  // the token that brought it
  std::optional<uint64_t> checkpoint_step;
  std::vector<ModelAttempt> attempts;  // those that have ended
};
struct ModelFailure {
  int64_t run_id;
  int attempt;
  std::string occasion;
  bool crashed;
};
struct ModelWorker {
  std::string name, host, incarnation;
  v1::WorkerDirective directive = v1::WORKER_DIRECTIVE_RUN;
  bool releasing = false;
  std::vector<ModelFailure> failures;  // since its last result
};

// What a transaction locks, and how many queue positions its statements take.
struct Footprint {
  std::vector<int64_t> runs = {};           // with lease and checkpoint
  std::vector<int64_t> sweeps_shared = {};  // as the end of a lease does
  std::vector<int64_t> limited = {};  // as claims from a limited sweep do; ends do not wait for it
  std::vector<int64_t> sweeps = {};   // as users do: against all
  std::vector<int64_t> workers = {};
  int positions = 0;
};

// Its operations begin and commit at once. Transactions in between: Hold takes what a transaction
// locks and its positions, as its statements would, and Commit lets its effect be seen. Who needs
// what another transaction holds waits for it, that is: has it committed first.
class MemoryLeaseStore final : public LeaseStore {
 public:
  explicit MemoryLeaseStore(uint64_t seed, Mutation mutation = Mutation::kNone)
      : random_(seed), mutation_(mutation) {}
  MemoryLeaseStore(const MemoryLeaseStore&) = delete;

  void SetNow(absl::Time now) { now_ = now; }
  absl::Time now() const { return now_; }
  // The server was away: what was in flight is rolled back, and it is up since now.
  void Restart();

  // Returns its id; its runs follow each other.
  int64_t AddSweep(const ModelSweep& sweep, int runs);

  const std::map<int64_t, ModelSweep>& sweeps() const { return sweeps_; }
  const std::vector<ModelRun>& runs() const { return runs_; }  // run id - 1
  const std::map<int64_t, ModelWorker>& workers() const { return workers_; }
  // For tests that follow another store: its order, its clock.
  ModelRun& MutableRun(int64_t run_id) { return runs_[static_cast<size_t>(run_id - 1)]; }

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

  // The two transactions of Upkeep, so that each can be held: what its first statement finds, and
  // the rest. Both pass over rows that others have locked.
  std::vector<LeaseKey> FindExpired(absl::Duration ttl) const;
  std::vector<EndedLease> EndExpired(const std::vector<LeaseKey>& keys,
                                     const FailurePolicy& policy);
  std::vector<int64_t> FindDue() const;
  int64_t QueueDue(const std::vector<int64_t>& runs);

  using Ticket = int64_t;
  // `done` executes the operation and takes its result; it is called by Commit, and by whoever
  // waits for the transaction. A rolled back transaction is dropped without a word.
  Ticket Hold(const Footprint& footprint, std::function<void()> done);
  bool IsLocked(int64_t run_id) const;
  // Commits whoever holds any of this.
  void Settle(const Footprint& footprint) { Wait(footprint); }
  bool IsOpen(Ticket ticket) const { return open_.contains(ticket); }
  void Commit(Ticket ticket);
  void Rollback(Ticket ticket) { open_.erase(ticket); }
  Footprint OfAdding(int runs) const { return {.positions = runs}; }
  Footprint OfEnding(const std::vector<LeaseKey>& keys) const;
  Footprint OfFailing(const LeaseKey& key) const;
  Footprint OfRegistering(const v1::RegisterRequest& request) const;
  Footprint OfQueueingDue(const std::vector<int64_t>& runs) const;
  Footprint OfResuming(int64_t sweep_id) const;
  Footprint OfRetrying(int64_t sweep_id, const std::vector<State>& states) const;

 private:
  friend class ClaimTransaction;
  struct Open {
    Footprint footprint;
    std::vector<int64_t> positions;
    std::function<void()> done;
    bool waits = false;              // for another transaction
    bool statements_follow = false;  // a claim: it locks more, and lets go of itself
  };

  ModelRun* FindRun(int64_t run_id);
  const ModelRun* FindRun(int64_t run_id) const;
  // The run whose live lease the key names.
  ModelRun* Held(const LeaseKey& key);
  const ModelRun* Held(const LeaseKey& key) const;
  // Commits whoever stands in the way. False when that one waits for the caller: a deadlock.
  bool Wait(const Footprint& footprint, Ticket self = 0);
  int64_t NextPosition();
  std::string NewToken();
  int64_t CountLeases(int64_t sweep_id) const;
  std::vector<int64_t> RunsOf(int64_t sweep_id, std::initializer_list<State> states) const;

  std::vector<EndedLease> End(const std::vector<LeaseKey>& keys, const std::string& outcome,
                              int64_t at_fault, const FailurePolicy& policy,
                              std::string* quarantined);
  std::vector<EndedLease> Judge(ModelWorker& worker, int64_t worker_id, int after,
                                std::string* quarantined);
  absl::Status LockSweep(int64_t sweep_id, std::initializer_list<State> states);
  absl::Status Tell(const std::string& worker, const std::function<void(ModelWorker&)>& what);

  std::mt19937_64 random_;
  const Mutation mutation_;
  absl::Time now_ = absl::UnixEpoch();
  absl::Time up_since_ = absl::InfinitePast();
  std::map<int64_t, ModelSweep> sweeps_;
  std::vector<ModelRun> runs_;
  std::map<int64_t, ModelWorker> workers_;
  int64_t next_worker_ = 1, next_position_ = 1;
  std::map<Ticket, Open> open_;
  Ticket next_ticket_ = 1;
  std::vector<int64_t> reserved_;  // positions of the transaction that commits, last first
};

// A claim, statement by statement. It is a transaction of the store's, with what it has claimed
// locked, until Finish or until it is dropped.
class ClaimTransaction {
 public:
  // `floor`: where to look from, and what learns of what was found; nullptr: from zero.
  // `clock`: the caller's own clock, for the floor.
  ClaimTransaction(MemoryLeaseStore& store, std::vector<Demand> demands, absl::Duration ttl,
                   QueueFloor* floor, absl::Time clock);
  ~ClaimTransaction();
  ClaimTransaction(const ClaimTransaction&) = delete;

  // Who waits for this transaction calls `done`, which is to call Finish.
  void OnWaited(std::function<void()> done);
  // False before the first Step, and after a deadlock.
  bool begun() const { return begun_; }
  // One statement more. False: there are no more.
  bool Step();
  // The statements that are left, and the commit. Nothing where that was a deadlock: it has let go
  // of all and begins anew with the next Step.
  std::optional<std::vector<Claimed>> Finish();

 private:
  struct Candidate {
    int64_t sweep_id;
    int priority;
    int max_parallel;
    int64_t leased;
    bool exhausted = false;
  };
  struct Taken {
    int64_t run_id;
    size_t demand;
    ModelLease lease;
  };
  void Begin();
  void Look(bool from_zero);
  bool Take(Candidate& sweep, const std::vector<size_t>& slots);  // false: a deadlock
  std::map<size_t, std::vector<size_t>> Share();
  int64_t From(int64_t sweep_id) const;

  MemoryLeaseStore& store_;
  const std::vector<Demand> demands_;
  const absl::Duration ttl_;
  QueueFloor* const floor_;
  const absl::Time clock_;
  MemoryLeaseStore::Ticket ticket_ = 0;
  bool begun_ = false, looked_from_zero_ = false;
  std::vector<Claimed> claimed_;
  std::vector<size_t> slots_;  // places in `demands_`, in turns
  std::vector<Candidate> candidates_;
  std::map<size_t, std::vector<size_t>> shares_;  // of this round, still to be taken
  std::vector<Taken> taken_;
};

}  // namespace gridsweep::coordinator

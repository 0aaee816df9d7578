#include "tests/model/memory_lease_store.h"

#include <algorithm>
#include <cmath>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

bool Meet(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  return std::ranges::any_of(a, [&](int64_t id) { return std::ranges::find(b, id) != b.end(); });
}

bool Conflict(const Footprint& a, const Footprint& b) {
  return Meet(a.runs, b.runs) || Meet(a.workers, b.workers) || Meet(a.sweeps, b.sweeps) ||
         Meet(a.sweeps, b.sweeps_shared) || Meet(a.sweeps_shared, b.sweeps) ||
         Meet(a.sweeps, b.limited) || Meet(a.limited, b.sweeps) || Meet(a.limited, b.limited);
}

void AddOnce(std::vector<int64_t>& ids, int64_t id) {
  if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
}

bool IsEnded(State state) { return state > State::kLeased; }

}  // namespace

ModelRun* MemoryLeaseStore::FindRun(int64_t run_id) {
  const bool known = run_id >= 1 && run_id <= static_cast<int64_t>(runs_.size());
  return known ? &runs_[static_cast<size_t>(run_id - 1)] : nullptr;
}

const ModelRun* MemoryLeaseStore::FindRun(int64_t run_id) const {
  return const_cast<MemoryLeaseStore*>(this)->FindRun(run_id);
}

ModelRun* MemoryLeaseStore::Held(const LeaseKey& key) {
  ModelRun* run = FindRun(key.run_id);
  return run != nullptr && run->lease && run->lease->token == key.token ? run : nullptr;
}

const ModelRun* MemoryLeaseStore::Held(const LeaseKey& key) const {
  return const_cast<MemoryLeaseStore*>(this)->Held(key);
}

bool MemoryLeaseStore::IsLocked(int64_t run_id) const {
  return std::ranges::any_of(open_, [&](const auto& item) {
    return std::ranges::find(item.second.footprint.runs, run_id) !=
           item.second.footprint.runs.end();
  });
}

bool MemoryLeaseStore::Wait(const Footprint& footprint, Ticket self) {
  for (;;) {
    const auto blocker = std::ranges::find_if(open_, [&](const auto& item) {
      return item.first != self && Conflict(footprint, item.second.footprint);
    });
    if (blocker == open_.end()) return true;
    if (blocker->second.waits) return false;
    const auto own = open_.find(self);
    if (own != open_.end()) own->second.waits = true;
    Commit(blocker->first);
    if (own != open_.end()) own->second.waits = false;
  }
}

MemoryLeaseStore::Ticket MemoryLeaseStore::Hold(const Footprint& footprint,
                                                std::function<void()> done) {
  Wait(footprint);
  Open open{footprint, {}, std::move(done)};
  for (int i = 0; i < footprint.positions; ++i) open.positions.push_back(next_position_++);
  std::ranges::reverse(open.positions);
  open_.emplace(next_ticket_, std::move(open));
  return next_ticket_++;
}

void MemoryLeaseStore::Commit(Ticket ticket) {
  const auto found = open_.find(ticket);
  if (found == open_.end()) return;
  const auto done = found->second.done;
  if (found->second.statements_follow) {
    done();
    return;
  }
  std::vector<int64_t> positions = std::move(found->second.positions);
  open_.erase(found);
  reserved_.swap(positions);
  done();
  reserved_.swap(positions);
}

void MemoryLeaseStore::Restart() {
  open_.clear();
  up_since_ = now_;
}

int64_t MemoryLeaseStore::NextPosition() {
  if (reserved_.empty()) return next_position_++;
  const int64_t position = reserved_.back();
  reserved_.pop_back();
  return position;
}

std::string MemoryLeaseStore::NewToken() {
  std::string token(16, '\0');
  for (int i = 0; i < 16; i += 8) {
    const uint64_t bits = random_();
    for (int b = 0; b < 8; ++b)
      token[static_cast<size_t>(i + b)] = static_cast<char>(bits >> 8 * b);
  }
  return token;
}

int64_t MemoryLeaseStore::CountLeases(int64_t sweep_id) const {
  const ModelSweep& sweep = sweeps_.at(sweep_id);
  int64_t count = 0;
  for (int64_t i = 0; i < sweep.runs; ++i) count += FindRun(sweep.first_run + i)->lease.has_value();
  return count;
}

std::vector<int64_t> MemoryLeaseStore::RunsOf(int64_t sweep_id,
                                              std::initializer_list<State> states) const {
  const ModelSweep& sweep = sweeps_.at(sweep_id);
  std::vector<int64_t> runs;
  for (int64_t id = sweep.first_run; id < sweep.first_run + sweep.runs; ++id) {
    if (std::ranges::find(states, FindRun(id)->state) != states.end()) runs.push_back(id);
  }
  return runs;
}

int64_t MemoryLeaseStore::AddSweep(const ModelSweep& sweep, int runs) {
  const auto id = static_cast<int64_t>(sweeps_.size()) + 1;
  ModelSweep& added = sweeps_[id] = sweep;
  added.first_run = static_cast<int64_t>(runs_.size()) + 1;
  added.runs = runs;
  for (int i = 0; i < runs; ++i) {
    ModelRun run;
    run.sweep_id = id;
    run.queue_pos = NextPosition();
    runs_.push_back(std::move(run));
  }
  return id;
}

// How leases end.

std::vector<EndedLease> MemoryLeaseStore::End(const std::vector<LeaseKey>& keys,
                                              const std::string& outcome, int64_t at_fault,
                                              const FailurePolicy& policy,
                                              std::string* quarantined) {
  std::vector<EndedLease> ended;
  for (const LeaseKey& key : keys) {
    ModelRun* run = Held(key);
    if (run == nullptr) continue;
    const ModelSweep& sweep = sweeps_.at(run->sweep_id);
    const uint64_t step = run->checkpoint_step.value_or(0);
    bool failed = at_fault != 0;
    if (outcome == "lost") {
      const size_t n = run->attempts.size();
      failed |= n >= 4 && std::all_of(run->attempts.end() - 4, run->attempts.end(),
                                      [&](const ModelAttempt& a) {
                                        return a.outcome == "lost" && a.checkpoint_step == step;
                                      });
      failed |= mutation_ == Mutation::kVanishedMachineIsAFailure;
    }
    if (outcome == "released") failed |= mutation_ == Mutation::kReleaseIsAFailure;
    const bool cancelled = run->lease->cancelling || sweep.cancelled;
    run->attempts.push_back(
        {run->lease->token, cancelled && !failed ? "cancelled" : outcome, failed, step, false});
    if (at_fault != 0) {
      workers_.at(at_fault).failures.push_back(
          {key.run_id, run->attempt,
           outcome == "lost" ? run->lease->incarnation : run->lease->token, outcome == "lost"});
    }
    const int limit =
        sweep.max_attempts + static_cast<int>(mutation_ == Mutation::kOneFailureTooMany);
    run->not_before.reset();
    if (failed) {
      const double factor = std::uniform_real_distribution<double>(0.75, 1.25)(random_);
      run->not_before = now_ + std::min(absl::Seconds(600),
                                        policy.backoff_base *
                                            std::pow(2.0, std::min(run->failures, 20)) * factor);
      ++run->failures;
    }
    run->state = cancelled || sweep.stopped         ? State::kCancelled
                 : failed && run->failures >= limit ? State::kFailed
                 : sweep.paused                     ? State::kPaused
                 : failed                           ? State::kBackoff
                                                    : State::kPending;
    run->queue_pos = NextPosition();
    run->lease.reset();
    ended.push_back({key.run_id, run->state});
  }
  if (at_fault == 0 || ended.empty()) return ended;
  for (const EndedLease& back :
       Judge(workers_.at(at_fault), at_fault, policy.quarantine_after, quarantined)) {
    for (EndedLease& lease : ended) {
      if (lease.run_id == back.run_id) lease.state = back.state;
    }
  }
  return ended;
}

std::vector<EndedLease> MemoryLeaseStore::Judge(ModelWorker& worker, int64_t worker_id, int after,
                                                std::string* quarantined) {
  if (after <= 0) return {};
  std::set<int64_t> runs;
  std::set<std::string> occasions;
  for (const ModelFailure& failure : worker.failures) {
    runs.insert(failure.run_id);
    occasions.insert(failure.occasion);
  }
  const bool before = worker.directive == v1::WORKER_DIRECTIVE_QUARANTINED;
  if (!before && std::min(runs.size(), occasions.size()) < static_cast<size_t>(after)) return {};
  if (!before) *quarantined = worker.name;
  worker.directive = v1::WORKER_DIRECTIVE_QUARANTINED;
  if (mutation_ == Mutation::kQuarantineKeepsFailures) return {};
  std::map<int64_t, int> back;
  for (const ModelFailure& failure : worker.failures) {
    ModelAttempt& attempt =
        FindRun(failure.run_id)->attempts[static_cast<size_t>(failure.attempt - 1)];
    const bool elsewhere = std::ranges::any_of(workers_, [&](const auto& item) {
      return item.first != worker_id &&
             std::ranges::any_of(item.second.failures, [&](const ModelFailure& other) {
               return other.crashed && other.run_id == failure.run_id;
             });
    });
    if (!attempt.counted || (failure.crashed && elsewhere)) continue;
    attempt.counted = false;
    ++back[failure.run_id];
  }
  std::vector<EndedLease> taken_back;
  for (const auto& [run_id, n] : back) {
    ModelRun& run = *FindRun(run_id);
    const ModelSweep& sweep = sweeps_.at(run.sweep_id);
    run.failures -= n;
    run.not_before.reset();
    if (run.state == State::kBackoff || run.state == State::kFailed) {
      run.state = sweep.cancelled || sweep.stopped ? State::kCancelled
                  : sweep.paused                   ? State::kPaused
                                                   : State::kPending;
      run.queue_pos = NextPosition();
    }
    taken_back.push_back({run_id, run.state});
  }
  return taken_back;
}

Footprint MemoryLeaseStore::OfEnding(const std::vector<LeaseKey>& keys) const {
  Footprint footprint;
  for (const LeaseKey& key : keys) {
    const ModelRun* run = Held(key);
    if (run == nullptr) continue;
    AddOnce(footprint.runs, key.run_id);
    AddOnce(footprint.sweeps_shared, run->sweep_id);
    ++footprint.positions;
  }
  return footprint;
}

Footprint MemoryLeaseStore::OfFailing(const LeaseKey& key) const {
  Footprint footprint = OfEnding({key});
  if (footprint.runs.empty()) return footprint;
  const int64_t worker_id = Held(key)->lease->worker_id;
  footprint.workers.push_back(worker_id);
  for (const ModelFailure& failure : workers_.at(worker_id).failures) {
    AddOnce(footprint.runs, failure.run_id);
    AddOnce(footprint.sweeps_shared, FindRun(failure.run_id)->sweep_id);
    ++footprint.positions;
  }
  return footprint;
}

Footprint MemoryLeaseStore::OfRegistering(const v1::RegisterRequest& request) const {
  Footprint footprint;
  for (const auto& [id, worker] : workers_) {
    if (worker.name != request.name()) continue;
    if (worker.incarnation != request.incarnation()) {
      std::vector<LeaseKey> old;
      for (size_t i = 0; i < runs_.size(); ++i) {
        const auto& lease = runs_[i].lease;
        if (lease && lease->worker_id == id && lease->incarnation != request.incarnation()) {
          old.push_back({static_cast<int64_t>(i) + 1, lease->token});
        }
      }
      footprint = OfEnding(old);
      if (worker.host == request.host() && !old.empty()) {
        for (const ModelFailure& failure : worker.failures) {
          AddOnce(footprint.runs, failure.run_id);
          AddOnce(footprint.sweeps_shared, FindRun(failure.run_id)->sweep_id);
          ++footprint.positions;
        }
      }
    }
    footprint.workers.push_back(id);
  }
  // The unique index: who inserts a name waits for who is inserting it.
  footprint.workers.push_back(-1 -
                              static_cast<int64_t>(std::hash<std::string>()(request.name()) >> 1));
  return footprint;
}

absl::StatusOr<Registered> MemoryLeaseStore::Register(const v1::RegisterRequest& request,
                                                      const FailurePolicy& policy,
                                                      const LogTails&) {
  Wait(OfRegistering(request));
  Registered registered{.worker_id = next_worker_++, .ended = {}};
  for (auto& [id, worker] : workers_) {
    if (worker.name != request.name()) continue;
    registered.worker_id = id;
    if (worker.incarnation != request.incarnation()) {
      std::vector<LeaseKey> old;
      for (size_t i = 0; i < runs_.size(); ++i) {
        const auto& lease = runs_[i].lease;
        if (lease && lease->worker_id == id && lease->incarnation != request.incarnation()) {
          old.push_back({static_cast<int64_t>(i) + 1, lease->token});
        }
      }
      std::string quarantined;
      registered.ended =
          End(old, "lost", worker.host == request.host() ? id : 0, policy, &quarantined);
      registered.quarantined = !quarantined.empty();
    }
    break;
  }
  ModelWorker& worker = workers_[registered.worker_id];
  worker.name = request.name();
  worker.host = request.host();
  worker.incarnation = request.incarnation();
  return registered;
}

absl::StatusOr<std::vector<Claimed>> MemoryLeaseStore::Claim(const std::vector<Demand>& demands,
                                                             absl::Duration ttl) {
  return *ClaimTransaction(*this, demands, ttl, nullptr, now_).Finish();
}

absl::StatusOr<Renewed> MemoryLeaseStore::Renew(int64_t worker_id, const std::string& incarnation,
                                                const std::vector<Renewal>& renewals,
                                                absl::Duration ttl) {
  Footprint footprint{.workers = {worker_id}};
  for (const Renewal& renewal : renewals) {
    if (Held(renewal.key) != nullptr) footprint.runs.push_back(renewal.key.run_id);
  }
  Wait(footprint);
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return absl::NotFoundError("no such worker");
  const ModelWorker& worker = found->second;
  if (worker.incarnation != incarnation) {
    return WithReason(absl::FailedPreconditionError("replaced"), "INCARNATION_REPLACED");
  }
  for (const Renewal& renewal : renewals) {
    ModelRun* run = Held(renewal.key);
    if (run != nullptr && run->lease->worker_id == worker_id) run->lease->expires_at = now_ + ttl;
  }
  Renewed renewed{worker.name, worker.directive, worker.releasing, {}};
  for (size_t i = 0; i < runs_.size(); ++i) {
    const auto& lease = runs_[i].lease;
    if (lease && lease->worker_id == worker_id && lease->incarnation == incarnation) {
      renewed.held.push_back({{static_cast<int64_t>(i) + 1, lease->token}, lease->cancelling});
    }
  }
  return renewed;
}

absl::Status MemoryLeaseStore::Checkpoint(const LeaseKey& key,
                                          const v1::CheckpointRef& checkpoint) {
  if (Held(key) != nullptr) Wait({.runs = {key.run_id}});
  ModelRun* run = Held(key);
  if (run == nullptr) return LeaseLost(key.run_id);
  run->checkpoint_step = std::max(run->checkpoint_step.value_or(0), checkpoint.step());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EndedLease>> MemoryLeaseStore::Release(const std::vector<LeaseKey>& keys,
                                                                  const std::string&) {
  Wait(OfEnding(keys));
  return End(keys, "released", 0, {}, nullptr);
}

absl::StatusOr<Failed> MemoryLeaseStore::Fail(const LeaseKey& key, const std::string&,
                                              const std::string&, const FailurePolicy& policy) {
  Wait(OfFailing(key));
  ModelRun* run = Held(key);
  if (run != nullptr) {
    Failed failed;
    failed.state =
        End({key}, "failed", run->lease->worker_id, policy, &failed.quarantined)[0].state;
    return failed;
  }
  run = FindRun(key.run_id);
  if (run == nullptr) return LeaseLost(key.run_id);
  for (const ModelAttempt& attempt : run->attempts) {
    if (attempt.token == key.token &&
        (attempt.outcome == "failed" || attempt.outcome == "cancelled")) {
      return Failed{run->state, ""};
    }
  }
  return LeaseLost(key.run_id);
}

absl::StatusOr<bool> MemoryLeaseStore::Complete(const Completion& completion) {
  const LeaseKey key{completion.header.ref().run_id(), completion.header.ref().token()};
  if (Held(key) != nullptr) Wait({.runs = {key.run_id}});
  ModelRun* run = Held(key);
  if (run == nullptr) {
    run = FindRun(key.run_id);
    if (run != nullptr && run->result == key.token) return true;
    if (run == nullptr || mutation_ != Mutation::kCompleteWithoutFence || !run->lease) {
      return LeaseLost(key.run_id);
    }
  }
  const bool succeeded = completion.header.outcome() == v1::OUTCOME_SUCCEEDED;
  run->attempts.push_back(
      {run->lease->token, succeeded ? "succeeded" : "diverged", false, 0, false});
  workers_.at(run->lease->worker_id).failures.clear();
  run->lease.reset();
  run->result = key.token;
  run->state = succeeded ? State::kSucceeded : State::kDiverged;
  return false;
}

// What time does.

std::vector<LeaseKey> MemoryLeaseStore::FindExpired(absl::Duration ttl) const {
  std::vector<LeaseKey> keys;
  if (up_since_ >= now_ - ttl && mutation_ != Mutation::kExpiryDuringOutage) return keys;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const auto& lease = runs_[i].lease;
    const auto run_id = static_cast<int64_t>(i) + 1;
    if (lease && lease->expires_at < now_ && !IsLocked(run_id)) {
      keys.push_back({run_id, lease->token});
    }
  }
  return keys;
}

std::vector<EndedLease> MemoryLeaseStore::EndExpired(const std::vector<LeaseKey>& keys,
                                                     const FailurePolicy& policy) {
  Wait(OfEnding(keys));
  return End(keys, "lost", 0, policy, nullptr);
}

std::vector<int64_t> MemoryLeaseStore::FindDue() const {
  std::vector<int64_t> due;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const ModelRun& run = runs_[i];
    const bool over = run.state == State::kBackoff && run.not_before <= now_;
    const bool retried = mutation_ == Mutation::kDivergedIsRetried && run.state == State::kDiverged;
    if ((over || retried) && !IsLocked(static_cast<int64_t>(i) + 1)) {
      due.push_back(static_cast<int64_t>(i) + 1);
    }
  }
  return due;
}

Footprint MemoryLeaseStore::OfQueueingDue(const std::vector<int64_t>& runs) const {
  return {.runs = runs, .positions = static_cast<int>(runs.size())};
}

int64_t MemoryLeaseStore::QueueDue(const std::vector<int64_t>& runs) {
  for (const int64_t run_id : runs) {
    ModelRun& run = *FindRun(run_id);
    run.state = State::kPending;
    run.queue_pos = NextPosition();
    run.not_before.reset();
    if (mutation_ == Mutation::kDivergedIsRetried) run.result.reset();
  }
  return static_cast<int64_t>(runs.size());
}

absl::StatusOr<coordinator::Upkeep> MemoryLeaseStore::Upkeep(bool expire, absl::Duration ttl,
                                                             const FailurePolicy& policy,
                                                             const LogTails&) {
  coordinator::Upkeep upkeep;
  if (expire) upkeep.expired = EndExpired(FindExpired(ttl), policy);
  upkeep.due = QueueDue(FindDue());
  return upkeep;
}

// What users do.

absl::Status MemoryLeaseStore::LockSweep(int64_t sweep_id, std::initializer_list<State> states) {
  if (!sweeps_.contains(sweep_id)) return absl::NotFoundError("no such sweep");
  // What it waits for may bring more runs of those states.
  Wait({.sweeps = {sweep_id}});
  Wait({.runs = RunsOf(sweep_id, states)});
  return absl::OkStatus();
}

absl::StatusOr<Affected> MemoryLeaseStore::Pause(int64_t sweep_id) {
  RETURN_IF_ERROR(LockSweep(sweep_id, {State::kPending, State::kBackoff}));
  sweeps_[sweep_id].paused = true;
  const auto waiting = RunsOf(sweep_id, {State::kPending, State::kBackoff});
  for (const int64_t id : waiting) FindRun(id)->state = State::kPaused;
  return Affected{static_cast<int64_t>(waiting.size()), CountLeases(sweep_id)};
}

Footprint MemoryLeaseStore::OfResuming(int64_t sweep_id) const {
  Footprint footprint{.runs = RunsOf(sweep_id, {State::kPaused}), .sweeps = {sweep_id}};
  footprint.positions = static_cast<int>(footprint.runs.size());
  return footprint;
}

absl::StatusOr<int64_t> MemoryLeaseStore::Resume(int64_t sweep_id) {
  RETURN_IF_ERROR(LockSweep(sweep_id, {State::kPaused}));
  sweeps_[sweep_id].paused = false;
  auto paused = RunsOf(sweep_id, {State::kPaused});
  std::ranges::sort(paused, {}, [&](int64_t id) { return FindRun(id)->queue_pos; });
  for (const int64_t id : paused) {
    ModelRun& run = *FindRun(id);
    const bool early = run.not_before && *run.not_before > now_;
    run.state = early ? State::kBackoff : State::kPending;
    run.queue_pos = NextPosition();
    if (!early) run.not_before.reset();
  }
  return static_cast<int64_t>(paused.size());
}

absl::StatusOr<Affected> MemoryLeaseStore::Stop(int64_t sweep_id) {
  RETURN_IF_ERROR(LockSweep(sweep_id, {State::kPending, State::kBackoff, State::kPaused}));
  sweeps_[sweep_id].stopped = true;
  const auto waiting = RunsOf(sweep_id, {State::kPending, State::kBackoff, State::kPaused});
  for (const int64_t id : waiting) {
    FindRun(id)->state = State::kCancelled;
    FindRun(id)->not_before.reset();
  }
  return Affected{static_cast<int64_t>(waiting.size()), CountLeases(sweep_id)};
}

absl::StatusOr<Affected> MemoryLeaseStore::Cancel(int64_t sweep_id) {
  RETURN_IF_ERROR(
      LockSweep(sweep_id, {State::kPending, State::kBackoff, State::kPaused, State::kLeased}));
  sweeps_[sweep_id].cancelled = true;
  auto waiting = RunsOf(sweep_id, {State::kPending, State::kBackoff});
  if (mutation_ != Mutation::kCancelForgetsThePaused) {
    std::ranges::copy(RunsOf(sweep_id, {State::kPaused}), std::back_inserter(waiting));
  }
  for (const int64_t id : waiting) {
    FindRun(id)->state = State::kCancelled;
    FindRun(id)->not_before.reset();
  }
  for (const int64_t id : RunsOf(sweep_id, {State::kLeased})) FindRun(id)->lease->cancelling = true;
  return Affected{static_cast<int64_t>(waiting.size()), CountLeases(sweep_id)};
}

Footprint MemoryLeaseStore::OfRetrying(int64_t sweep_id, const std::vector<State>& states) const {
  Footprint footprint{.sweeps = {sweep_id}};
  for (const State state : states) {
    if (!IsEnded(state)) continue;
    std::ranges::copy(RunsOf(sweep_id, {state}), std::back_inserter(footprint.runs));
  }
  footprint.positions = static_cast<int>(footprint.runs.size());
  return footprint;
}

absl::StatusOr<int64_t> MemoryLeaseStore::Retry(int64_t sweep_id, const std::vector<State>& states,
                                                const std::vector<int64_t>& run_ids) {
  if (!sweeps_.contains(sweep_id)) return absl::NotFoundError("no such sweep");
  Wait({.sweeps = {sweep_id}});
  Wait(OfRetrying(sweep_id, states));
  std::vector<int64_t> runs = OfRetrying(sweep_id, states).runs;
  std::ranges::sort(runs);
  if (!run_ids.empty()) {
    std::erase_if(runs,
                  [&](int64_t id) { return std::ranges::find(run_ids, id) == run_ids.end(); });
  }
  if (runs.empty()) return 0;
  ModelSweep& sweep = sweeps_[sweep_id];
  sweep.stopped = sweep.cancelled = false;
  for (const int64_t id : runs) {
    ModelRun& run = *FindRun(id);
    for (ModelAttempt& attempt : run.attempts) {
      attempt.counted = false;
      attempt.withdrawn |= run.result == attempt.token;
    }
    if (mutation_ != Mutation::kRetryKeepsResult) run.result.reset();
    run.checkpoint_step.reset();
    run.failures = 0;
    run.not_before.reset();
    run.state = sweep.paused ? State::kPaused : State::kPending;
    run.queue_pos = NextPosition();
  }
  return static_cast<int64_t>(runs.size());
}

absl::Status MemoryLeaseStore::Tell(const std::string& name,
                                    const std::function<void(ModelWorker&)>& what) {
  for (auto& [id, worker] : workers_) {
    if (worker.name != name) continue;
    Wait({.workers = {id}});
    what(worker);
    return absl::OkStatus();
  }
  return absl::NotFoundError("no such worker");
}

absl::Status MemoryLeaseStore::Cordon(const std::string& name) {
  return Tell(name, [](ModelWorker& worker) {
    worker.directive = std::max(worker.directive, v1::WORKER_DIRECTIVE_DRAIN);
  });
}

absl::Status MemoryLeaseStore::Drain(const std::string& name) {
  return Tell(name, [](ModelWorker& worker) {
    worker.directive = std::max(worker.directive, v1::WORKER_DIRECTIVE_DRAIN);
    worker.releasing = true;
  });
}

absl::Status MemoryLeaseStore::Uncordon(const std::string& name) {
  return Tell(name, [](ModelWorker& worker) {
    worker.directive = v1::WORKER_DIRECTIVE_RUN;
    worker.releasing = false;
    worker.failures.clear();
  });
}

}  // namespace gridsweep::coordinator

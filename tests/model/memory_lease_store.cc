#include "tests/model/memory_lease_store.h"

#include <algorithm>

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

}  // namespace gridsweep::coordinator

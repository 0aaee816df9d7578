// What users do: lifecycle.cc and workers.cc of the store.
#include <algorithm>

#include "common/status.h"
#include "common/strings.h"
#include "tests/model/memory_lease_store.h"

namespace gridsweep::coordinator {
namespace {

bool IsEnded(State state) { return state > State::kLeased; }

}  // namespace

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

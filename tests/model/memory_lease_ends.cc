// How leases end, and what that says of workers: leases.cc and quarantine.cc of the store.
#include <algorithm>
#include <cmath>
#include <set>

#include "common/status.h"
#include "common/strings.h"
#include "tests/model/memory_lease_store.h"

namespace gridsweep::coordinator {
namespace {

void AddOnce(std::vector<int64_t>& ids, int64_t id) {
  if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
}

}  // namespace

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

}  // namespace gridsweep::coordinator

#include "tests/model/audit.h"

#include <algorithm>

#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

using S = State;

bool IsLifecycle(Operation o) { return o >= Operation::kPause && o <= Operation::kRetry; }

// Whether `operation` may take a run from one state to another.
bool Allowed(Operation operation, S from, S to) {
  switch (operation) {
    case Operation::kClaim:
      return from == S::kPending && to == S::kLeased;
    case Operation::kRelease:
      return from == S::kLeased && (to == S::kPending || to == S::kPaused || to == S::kCancelled);
    case Operation::kComplete:
      return from == S::kLeased && (to == S::kSucceeded || to == S::kDiverged);
    case Operation::kFail:
    case Operation::kRegister:
      // Others of the worker's failures may be taken back.
      return (from == S::kLeased && to != S::kLeased && to != S::kSucceeded &&
              to != S::kDiverged) ||
             ((from == S::kBackoff || from == S::kFailed) &&
              (to == S::kPending || to == S::kPaused || to == S::kCancelled));
    case Operation::kExpire:
      return from == S::kLeased && to != S::kLeased && to != S::kSucceeded && to != S::kDiverged;
    case Operation::kDue:
      return from == S::kBackoff && to == S::kPending;
    case Operation::kPause:
      return (from == S::kPending || from == S::kBackoff) && to == S::kPaused;
    case Operation::kResume:
      return from == S::kPaused && (to == S::kPending || to == S::kBackoff);
    case Operation::kStop:
    case Operation::kCancel:
      return from < S::kLeased && to == S::kCancelled;
    case Operation::kRetry:
      return from > S::kLeased && (to == S::kPending || to == S::kPaused);
    default:
      return false;
  }
}

// Lost five times in a row without a step beyond its checkpoint.
bool LostFive(const ModelRun& run) {
  if (run.attempts.size() < 5) return false;
  const auto& last = run.attempts.back();
  return std::all_of(run.attempts.end() - 5, run.attempts.end(), [&](const ModelAttempt& a) {
    return a.outcome == "lost" && a.checkpoint_step == last.checkpoint_step;
  });
}

}  // namespace

const char* NameOf(Operation operation) {
  static constexpr const char* kNames[kOperations] = {
      "add",    "register", "claim", "renew",  "checkpoint", "release", "fail",  "complete",
      "expire", "due",      "pause", "resume", "stop",       "cancel",  "retry", "tell"};
  return kNames[static_cast<size_t>(operation)];
}

void Audit::Copy(const ModelRun& run, Before& before) {
  before = {run.state,
            run.attempt,
            run.failures,
            run.lease ? run.lease->token : "",
            run.lease ? run.lease->incarnation : "",
            run.result.value_or(""),
            run.lease ? run.lease->worker_id : 0,
            run.lease ? run.lease->expires_at : absl::InfiniteFuture(),
            run.checkpoint_step,
            run.not_before,
            run.attempts.size(),
            run.lease && run.lease->cancelling};
}

bool Audit::Same(const ModelRun& run, const Before& before) {
  return run.state == before.state && run.attempt == before.attempt &&
         run.failures == before.failures && run.attempts.size() == before.attempts &&
         run.checkpoint_step == before.checkpoint_step && run.not_before == before.not_before &&
         (run.lease
              ? run.lease->token == before.token && run.lease->expires_at == before.expires_at &&
                    run.lease->cancelling == before.cancelling
              : before.token.empty()) &&
         (run.result ? *run.result == before.result : before.result.empty());
}

void Audit::Fault(const Step& step, int64_t run_id, const std::string& what) {
  faults_.push_back(StrCat(NameOf(step.operation), ", run ", run_id, ": ", what));
}

void Audit::CheckFailures(const Step& step, int64_t run_id, const Before& was, const ModelRun& is) {
  const int more = is.failures - was.failures;
  const bool was_leased = !was.token.empty();
  const auto worker = store_.workers().find(step.worker_id);
  const bool quarantined = worker != store_.workers().end() &&
                           worker->second.directive == v1::WORKER_DIRECTIVE_QUARANTINED;
  switch (step.operation) {
    case Operation::kFail:
    case Operation::kRegister:
      if (step.operation == Operation::kRegister && !step.same_host) {
        if (more != (was_leased && LostFive(is) ? 1 : 0)) {
          Fault(step, run_id, "a machine that is gone costs no failure");
        }
      } else if (quarantined ? more > 1 : more != (was_leased ? 1 : 0)) {
        Fault(step, run_id, StrCat("counts ", more, " failures more"));
      } else if (quarantined && more == 1 && step.operation == Operation::kFail) {
        Fault(step, run_id, "what a worker in quarantine fails costs no failure");
      }
      break;
    case Operation::kExpire:
      if (more != (LostFive(is) ? 1 : 0)) Fault(step, run_id, "a lost lease is no failure");
      break;
    case Operation::kRetry:
      if (is.failures != 0) Fault(step, run_id, "a retry begins without failures");
      break;
    default:
      if (more != 0) Fault(step, run_id, StrCat("costs ", more, " failures"));
  }
}

void Audit::CheckChange(const Step& step, int64_t run_id, const Before& was, const ModelRun& is) {
  const bool named = std::ranges::any_of(step.keys, [&](const LeaseKey& key) {
    return key.run_id == run_id && !was.token.empty() && key.token == was.token;
  });
  const bool same_lease = (is.lease ? is.lease->token : "") == was.token;
  if ((was.state != is.state || !same_lease) && !Allowed(step.operation, was.state, is.state)) {
    Fault(step, run_id,
          StrCat("state ", static_cast<int>(was.state), " to ", static_cast<int>(is.state)));
  }
  switch (step.operation) {
    case Operation::kRenew:
    case Operation::kCheckpoint:
    case Operation::kRelease:
    case Operation::kComplete:
      if (!named) Fault(step, run_id, "written to without the token of its lease");
      break;
    case Operation::kFail:
      if (!named && is.failures >= was.failures) {
        Fault(step, run_id, "written to without the token of its lease");
      }
      break;
    case Operation::kRegister:
      if (!was.token.empty() && !same_lease &&
          (was.worker_id != step.worker_id || was.incarnation == step.incarnation)) {
        Fault(step, run_id, "a registration ended another's lease");
      }
      break;
    case Operation::kExpire:
      if (was.expires_at >= step.now) Fault(step, run_id, "its lease had time left");
      if (!step.may_expire) Fault(step, run_id, "expired though no heartbeat could have come");
      break;
    case Operation::kDue:
      if (was.not_before > step.now) Fault(step, run_id, "its pause is not over");
      break;
    case Operation::kClaim:
      if (!granted_.insert(is.lease ? is.lease->token : "").second) {
        Fault(step, run_id, "a token was given twice");
      }
      if (is.attempt != was.attempt + 1) Fault(step, run_id, "its attempts have a gap");
      break;
    case Operation::kPause:
    case Operation::kResume:
    case Operation::kStop:
    case Operation::kCancel:
    case Operation::kRetry:
      if (is.sweep_id != step.sweep_id) Fault(step, run_id, "is of another sweep");
      break;
    default:
      Fault(step, run_id, "must not change");
  }
  if (is.attempt < was.attempt) Fault(step, run_id, "attempts go back");
  if (step.operation != Operation::kComplete && is.result && *is.result != was.result) {
    Fault(step, run_id, "has a result that nobody brought");
  }
  if (step.operation != Operation::kRetry && !was.result.empty() && was.result != is.result) {
    Fault(step, run_id, "lost its result");
  }
  CheckFailures(step, run_id, was, is);
}

void Audit::CheckRow(int64_t run_id, const ModelRun& run) {
  const ModelSweep& sweep = store_.sweeps().at(run.sweep_id);
  const auto fault = [&](const std::string& what) {
    faults_.push_back(StrCat("run ", run_id, ": ", what));
  };
  if (run.lease.has_value() != (run.state == S::kLeased))
    fault("leased without a lease, or not so");
  const bool finished = run.state == S::kSucceeded || run.state == S::kDiverged;
  if (run.result.has_value() != finished) fault("finished without a result, or not so");
  int counted = 0, standing = 0;
  for (const ModelAttempt& attempt : run.attempts) {
    counted += attempt.counted;
    standing +=
        !attempt.withdrawn && (attempt.outcome == "succeeded" || attempt.outcome == "diverged");
  }
  if (standing != static_cast<int>(finished))
    fault(StrCat("has ", standing, " results that stand"));
  if (finished && (run.attempts.empty() || run.attempts.back().token != run.result)) {
    fault("its result is not its last attempt's");
  }
  if (static_cast<int>(run.attempts.size()) + run.lease.has_value() != run.attempt) {
    fault(StrCat("has ", run.attempts.size(), " ended attempts of ", run.attempt));
  }
  if (run.failures != counted) fault(StrCat("counts ", run.failures, " failures of ", counted));
  if (run.failures > sweep.max_attempts) fault("has more failures than max_attempts");
  if (run.state == S::kFailed && run.failures != sweep.max_attempts) fault("failed too early");
  if (run.failures >= sweep.max_attempts && run.state < S::kSucceeded) fault("should have failed");
  if (sweep.paused && run.state < S::kPaused) fault("waits though its sweep is paused");
  if ((sweep.stopped || sweep.cancelled) && run.state < S::kLeased) {
    fault("waits though its sweep is stopped");
  }
}

std::vector<std::string> Audit::Check(const Step& step) {
  faults_.clear();
  changed_.clear();
  const auto& runs = store_.runs();
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto run_id = static_cast<int64_t>(i) + 1;
    if (i == before_.size()) {
      before_.emplace_back();
      Copy(runs[i], before_[i]);
      if (step.operation != Operation::kAdd) Fault(step, run_id, "appeared from nowhere");
      changed_.push_back(run_id);
    } else if (!Same(runs[i], before_[i])) {
      CheckChange(step, run_id, before_[i], runs[i]);
      CheckRow(run_id, runs[i]);
      Copy(runs[i], before_[i]);
      changed_.push_back(run_id);
    } else if (IsLifecycle(step.operation)) {
      CheckRow(run_id, runs[i]);
    }
  }
  if (step.operation == Operation::kClaim && !changed_.empty()) {
    for (const auto& [id, sweep] : store_.sweeps()) {
      if (sweep.max_parallel == 0) continue;
      int leased = 0;
      for (int64_t r = 0; r < sweep.runs; ++r) {
        leased += runs[static_cast<size_t>(sweep.first_run - 1 + r)].lease.has_value();
      }
      if (leased > sweep.max_parallel) {
        faults_.push_back(
            StrCat("sweep ", id, " has ", leased, " leases, limit ", sweep.max_parallel));
      }
    }
  }
  return faults_;
}

}  // namespace gridsweep::coordinator

// The statements against the model: the same operations, drawn from a seed, on PostgreSQL and in
// memory, one after another; answers and tables are compared after each.
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/coordinator/fixture.h"
#include "tests/model/memory_lease_store.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kOperations = 1500;
constexpr int kWorkers = 4;
// Nothing ends by itself: the test sets times back where something is to be due.
constexpr absl::Duration kTtl = absl::Hours(1);
constexpr FailurePolicy kPolicy{absl::Hours(1), 3};

using RunAttempt = std::pair<int64_t, int>;  // names a lease in both stores

struct Pair {
  uint64_t seed;
  Mutation mutation = Mutation::kNone;  // of the model
};

class StoreDifference : public StoreTest, public ::testing::WithParamInterface<Pair> {
 protected:
  struct TheWorker {
    std::string name, incarnation, request_id;
    int64_t in_pg = 0, in_memory = 0;
  };

  StoreDifference()
      : pg_(db_), random_(GetParam().seed), memory_(GetParam().seed, GetParam().mutation) {}

  int64_t Pick(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }
  std::string Bytes() {
    std::string bytes(16, '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }

  void AddSweep(int runs, int priority, int max_parallel, int max_attempts) {
    auto spec = SmallSweep(runs);
    spec.settings.set_priority(priority);
    spec.settings.set_max_parallel(max_parallel);
    spec.settings.set_max_attempts(max_attempts);
    const int64_t in_pg = Create(spec).sweep_id();
    ModelSweep sweep;
    sweep.priority = priority;
    sweep.max_parallel = max_parallel;
    sweep.max_attempts = max_attempts;
    ASSERT_EQ(memory_.AddSweep(sweep, runs), in_pg);
    ASSERT_EQ(memory_.sweeps().at(in_pg).first_run,
              Count(StrCat("select first_run_id from sweeps where sweep_id = ", in_pg)));
    ASSERT_EQ(FollowQueue(false), "");
  }

  // A lease that is live or, now and then, one that was.
  std::optional<RunAttempt> PickLease() {
    std::vector<RunAttempt> live;
    for (size_t i = 0; i < memory_.runs().size(); ++i) {
      if (memory_.runs()[i].lease) {
        live.emplace_back(static_cast<int64_t>(i) + 1, memory_.runs()[i].attempt);
      }
    }
    if (!live.empty() && Pick(6) > 0) {
      return live[static_cast<size_t>(Pick(static_cast<int64_t>(live.size())))];
    }
    if (tokens_.empty()) return std::nullopt;
    return std::next(tokens_.begin(), Pick(static_cast<int64_t>(tokens_.size())))->first;
  }
  LeaseKey InPg(RunAttempt lease) { return {lease.first, tokens_.at(lease).first}; }
  LeaseKey InMemory(RunAttempt lease) { return {lease.first, tokens_.at(lease).second}; }

  static std::string Tell(const absl::Status& status) {
    return status.ok() ? "OK"
                       : StrCat(static_cast<int>(status.code()), " ", gridsweep::Reason(status));
  }
  static std::string Tell(std::vector<EndedLease> ended) {
    std::ranges::sort(ended, {}, &EndedLease::run_id);
    std::string text;
    for (const EndedLease& e : ended) {
      text += StrCat(" ", e.run_id, ":", static_cast<int>(e.state));
    }
    return text;
  }
  static std::string Tell(const Affected& a) { return StrCat(a.waiting, " ", a.leased); }
  static std::string Tell(int64_t n) { return StrCat(n); }
  static std::string Tell(bool b) { return b ? "true" : "false"; }
  static std::string Tell(const Registered& r) {
    return StrCat(Tell(r.ended), r.quarantined ? " quarantined" : "");
  }
  static std::string Tell(const Failed& f) {
    return StrCat(static_cast<int>(f.state), " ", f.quarantined);
  }
  static std::string Tell(const coordinator::Upkeep& u) {
    return StrCat(Tell(u.expired), " ", u.due);
  }
  static std::string Tell(const Renewed& r) {
    std::string text = StrCat(r.worker, " ", static_cast<int>(r.directive), r.releasing);
    for (const HeldLease& h : r.held) text += StrCat(" ", h.key.run_id, h.cancelling ? "c" : "");
    return text;
  }
  static std::string Tell(const std::vector<Claimed>& claimed) {
    std::string text;
    for (const Claimed& c : claimed) {
      text += StrCat("[", c.registered, " ", static_cast<int>(c.directive));
      for (const Grant& g : c.grants)
        text += StrCat(" ", g.sweep_id, "/", g.key.run_id, "/", g.attempt);
      text += "]";
    }
    return text;
  }
  template <typename T>
  static std::string Tell(const absl::StatusOr<T>& result) {
    return result.ok() ? Tell(*result) : Tell(result.status());
  }

  // Executes one operation on both; the answers.
  struct Answers {
    std::string what, pg, memory;
    bool in_order = false;  // several runs that it queues have an order of their own
  };
  template <typename What>
  Answers Both(const std::string& what, What on) {
    return {what, Tell(on(static_cast<LeaseStore&>(pg_), true)),
            Tell(on(static_cast<LeaseStore&>(memory_), false))};
  }
  Answers Operate();
  Answers Claim();
  Answers Complete(RunAttempt lease);

  // All that a lease's life leaves behind, apart from tokens, times and positions.
  std::string PgState(bool attempts);
  std::string MemoryState(bool attempts);
  // That both queued the same runs anew; where the order among these is anyone's, the model's is
  // PostgreSQL's from now on.
  // What is wrong, or "".
  std::string FollowQueue(bool in_order);
  // Goes on until they differ: by what, or "".
  std::string Compare();

  PostgresLeaseStore pg_;
  std::mt19937_64 random_;
  MemoryLeaseStore memory_;
  std::vector<TheWorker> workers_;
  std::map<RunAttempt, std::pair<std::string, std::string>> tokens_;
  std::map<int64_t, int64_t> pg_positions_, memory_positions_;
  std::map<std::string, int> done_;
};

StoreDifference::Answers StoreDifference::Claim() {
  std::vector<Demand> in_pg, in_memory;
  const auto n = 1 + Pick(3);
  for (int64_t i = 0; i < n; ++i) {
    TheWorker& worker = workers_[static_cast<size_t>(Pick(kWorkers))];
    if (worker.request_id.empty() || Pick(5) > 0) worker.request_id = Bytes();
    Demand demand;
    demand.worker_id = worker.in_pg;
    demand.incarnation = Pick(12) == 0 ? Bytes() : worker.incarnation;
    demand.request_id = worker.request_id;
    demand.max_runs = static_cast<int>(1 + Pick(3));
    // One request twice in a batch is not for here: its waiter replaces the first.
    if (std::ranges::any_of(in_pg, [&](const Demand& d) {
          return d.worker_id == demand.worker_id && d.request_id == demand.request_id;
        })) {
      continue;
    }
    in_pg.push_back(demand);
    demand.worker_id = worker.in_memory;
    in_memory.push_back(demand);
  }
  const auto pg = pg_.Claim(in_pg, kTtl);
  const auto memory = memory_.Claim(in_memory, kTtl);
  Answers answers{"claim", Tell(pg), Tell(memory)};
  if (answers.pg != answers.memory) return answers;
  for (size_t i = 0; i < pg->size(); ++i) {
    for (size_t g = 0; g < (*pg)[i].grants.size(); ++g) {
      const Grant& grant = (*pg)[i].grants[g];
      tokens_[{grant.key.run_id, grant.attempt}] = {grant.key.token,
                                                    (*memory)[i].grants[g].key.token};
    }
  }
  return answers;
}

StoreDifference::Answers StoreDifference::Complete(RunAttempt lease) {
  Completion completion = ResultOf(InPg(lease));
  if (Pick(4) == 0) {
    completion.header.set_outcome(v1::OUTCOME_DIVERGED);
    completion.header.clear_artifacts();
    completion.header.set_unit_count(0);
    completion.units.clear();
  }
  return Both("complete", [&](LeaseStore& store, bool pg) {
    completion.header.mutable_ref()->set_token(pg ? InPg(lease).token : InMemory(lease).token);
    return store.Complete(completion);
  });
}

StoreDifference::Answers StoreDifference::Operate() {
  const int64_t luck = Pick(100);
  const int64_t sweep = 1 + Pick(4);  // the last one there is not
  TheWorker& worker = workers_[static_cast<size_t>(Pick(kWorkers))];
  const auto lease = PickLease();
  const auto key = [&](bool pg) { return pg ? InPg(*lease) : InMemory(*lease); };
  if (luck < 30 || !lease) return Claim();
  if (luck < 36) {
    v1::RegisterRequest request;
    request.set_name(worker.name);
    request.set_host(StrCat("host-", Pick(2)));
    request.set_slots(4);
    if (Pick(5) > 0) worker.incarnation = Bytes();
    request.set_incarnation(worker.incarnation);
    return Both("register",
                [&](LeaseStore& store, bool) { return store.Register(request, kPolicy, nullptr); });
  }
  if (luck < 40) {
    std::vector<RunAttempt> reported = {*lease};
    return Both("renew", [&](LeaseStore& store, bool pg) {
      return store.Renew(pg ? worker.in_pg : worker.in_memory, worker.incarnation, {{key(pg), {}}},
                         kTtl);
    });
  }
  if (luck < 44) {
    v1::CheckpointRef checkpoint;
    checkpoint.set_step(static_cast<uint64_t>(1 + Pick(50)));
    checkpoint.set_size(10);
    checkpoint.set_sha256(Sha256::Of("a checkpoint"));
    checkpoint.set_numerics_id("test");
    checkpoint.set_science_version(1);
    return Both("checkpoint",
                [&](LeaseStore& store, bool pg) { return store.Checkpoint(key(pg), checkpoint); });
  }
  if (luck < 50) {
    std::vector<RunAttempt> leases = {*lease};
    for (int64_t i = Pick(3); i > 0; --i) {
      const RunAttempt more = *PickLease();
      if (std::ranges::find(leases, more) == leases.end()) leases.push_back(more);
    }
    return Both("release", [&](LeaseStore& store, bool pg) {
      std::vector<LeaseKey> keys;
      for (const RunAttempt& l : leases) keys.push_back(pg ? InPg(l) : InMemory(l));
      return store.Release(keys, "");
    });
  }
  if (luck < 60) {
    return Both("fail",
                [&](LeaseStore& store, bool pg) { return store.Fail(key(pg), "", "", kPolicy); });
  }
  if (luck < 72) return Complete(*lease);
  if (luck < 82) {
    for (int64_t i = Pick(3); i >= 0; --i) {
      const RunAttempt late = *PickLease();
      Query(
          StrCat("update leases set expires_at = clock_timestamp() - interval '1 second' "
                 "where run_id = ",
                 late.first, " returning 1"));
      ModelRun& run = memory_.MutableRun(late.first);
      if (run.lease) run.lease->expires_at = memory_.now() - absl::Seconds(1);
    }
    return Both("expire", [&](LeaseStore& store, bool) {
      return store.Upkeep(true, absl::ZeroDuration(), kPolicy, nullptr);
    });
  }
  if (luck < 86) {
    for (size_t i = 0; i < memory_.runs().size(); ++i) {
      ModelRun& run = memory_.MutableRun(static_cast<int64_t>(i) + 1);
      if (!run.not_before || Pick(2) == 0) continue;
      Query(
          StrCat("update run_state set not_before = clock_timestamp() - interval '1 second' "
                 "where run_id = ",
                 i + 1, " returning 1"));
      run.not_before = memory_.now() - absl::Seconds(1);
    }
    return Both("due", [&](LeaseStore& store, bool) {
      return store.Upkeep(false, absl::ZeroDuration(), kPolicy, nullptr);
    });
  }
  Answers answers;
  if (luck < 88) {
    answers = Both("pause", [&](LeaseStore& store, bool) { return store.Pause(sweep); });
  } else if (luck < 91) {
    answers = Both("resume", [&](LeaseStore& store, bool) { return store.Resume(sweep); });
  } else if (luck < 92) {
    answers = Both("stop", [&](LeaseStore& store, bool) { return store.Stop(sweep); });
  } else if (luck < 93) {
    answers = Both("cancel", [&](LeaseStore& store, bool) { return store.Cancel(sweep); });
  } else if (luck < 97) {
    std::vector<State> states = {State::kFailed, State::kDiverged, State::kCancelled};
    if (Pick(2) == 0) states.push_back(State::kSucceeded);
    std::vector<int64_t> runs;
    for (int64_t i = Pick(4); i > 0; --i) runs.push_back(1 + Pick(20));
    answers =
        Both("retry", [&](LeaseStore& store, bool) { return store.Retry(sweep, states, runs); });
  } else {
    const int64_t what = Pick(6);
    const std::string name = what == 0 ? "nobody" : worker.name;
    return Both("tell", [&](LeaseStore& store, bool) {
      return what == 1 ? store.Cordon(name) : what == 2 ? store.Drain(name) : store.Uncordon(name);
    });
  }
  answers.in_order = true;
  return answers;
}

std::string StoreDifference::PgState(bool attempts) {
  std::string text = Query(R"(
    select string_agg(concat_ws(' ', r.run_id, r.state, r.attempt, r.failures,
        r.not_before is not null, 'lease', l.attempt, lw.name, l.cancelling, 'result', p.outcome,
        'checkpoint', c.step), E'\n' order by r.run_id)
    from run_state r left join leases l using (run_id) left join workers lw using (worker_id)
    left join run_results p on p.run_id = r.run_id left join checkpoints c on c.run_id = r.run_id)");
  text += "\n" + Query(R"(
    select string_agg(concat_ws(' ', w.name, w.host, w.directive, w.releasing,
        (select string_agg(concat_ws('/', f.run_id, f.attempt, f.crashed), ' ' order by f.run_id,
         f.attempt) from worker_failures f where f.worker_id = w.worker_id)), E'\n' order by w.name)
    from workers w)");
  text += "\n" + Query(R"(
    select string_agg(concat_ws(' ', sweep_id, paused_at is not null, stopped_at is not null,
        cancelled_at is not null), E'\n' order by sweep_id) from sweeps)");
  if (attempts) {
    text += "\n" + Query(R"(
    select string_agg(concat_ws(' ', run_id, attempt, outcome, counted, checkpoint_step,
        withdrawn is not null), E'\n' order by run_id, attempt) from attempts)");
  }
  return text;
}

std::string StoreDifference::MemoryState(bool attempts) {
  const auto tell = [](bool b) { return b ? " t" : " f"; };
  std::string runs, workers, sweeps, ended;
  for (size_t i = 0; i < memory_.runs().size(); ++i) {
    const ModelRun& run = memory_.runs()[i];
    runs += StrCat(i + 1, " ", static_cast<int>(run.state), " ", run.attempt, " ", run.failures,
                   tell(run.not_before.has_value()), " lease");
    if (run.lease) {
      runs += StrCat(" ", run.attempt, " ", memory_.workers().at(run.lease->worker_id).name,
                     tell(run.lease->cancelling));
    }
    runs += " result";
    if (run.result) {
      runs += StrCat(" ", static_cast<int>(run.state == State::kSucceeded ? v1::OUTCOME_SUCCEEDED
                                                                          : v1::OUTCOME_DIVERGED));
    }
    runs += " checkpoint";
    if (run.checkpoint_step) runs += StrCat(" ", *run.checkpoint_step);
    runs += "\n";
    for (size_t a = 0; a < run.attempts.size(); ++a) {
      const ModelAttempt& attempt = run.attempts[a];
      ended += StrCat("\n", i + 1, " ", a + 1, " ", attempt.outcome, tell(attempt.counted), " ",
                      attempt.checkpoint_step, tell(attempt.withdrawn));
    }
  }
  for (const auto& [id, worker] : memory_.workers()) {
    workers += StrCat(worker.name, " ", worker.host, " ", static_cast<int>(worker.directive),
                      tell(worker.releasing));
    auto failures = worker.failures;
    std::ranges::sort(failures, {},
                      [](const ModelFailure& f) { return RunAttempt(f.run_id, f.attempt); });
    for (const ModelFailure& f : failures) {
      workers += StrCat(" ", f.run_id, "/", f.attempt, "/", f.crashed ? "t" : "f");
    }
    workers += "\n";
  }
  for (const auto& [id, sweep] : memory_.sweeps()) {
    sweeps += StrCat("\n", id, tell(sweep.paused), tell(sweep.stopped), tell(sweep.cancelled));
  }
  return runs + workers + sweeps.substr(1) + (attempts ? ended : "");
}

std::string StoreDifference::FollowQueue(bool in_order) {
  std::map<int64_t, int64_t> pg, memory;
  const auto read = db_.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    for (const auto& row : t.ExecText("select run_id, queue_pos from run_state")) {
      pg[row[0].as<int64_t>()] = row[1].as<int64_t>();
    }
    return 0;
  });
  EXPECT_TRUE(read.ok()) << read.status();
  for (size_t i = 0; i < memory_.runs().size(); ++i) {
    memory[static_cast<int64_t>(i) + 1] = memory_.runs()[i].queue_pos;
  }
  // Those that this operation queued, in the order of their positions.
  std::string fault;
  const auto queued = [&](const std::map<int64_t, int64_t>& now,
                          const std::map<int64_t, int64_t>& before) {
    int64_t last = 0;
    for (const auto& [run, position] : before) last = std::max(last, position);
    std::vector<int64_t> runs;
    for (const auto& [run, position] : now) {
      const auto found = before.find(run);
      if (found != before.end() && found->second == position) continue;
      if (position <= last) fault = StrCat("run ", run, " is not queued behind all others");
      runs.push_back(run);
    }
    std::ranges::sort(runs, {}, [&](int64_t run) { return now.at(run); });
    return runs;
  };
  auto in_pg = queued(pg, pg_positions_), in_memory = queued(memory, memory_positions_);
  if (!in_order) {
    std::vector<int64_t> positions;
    for (const int64_t run : in_memory) positions.push_back(memory.at(run));
    for (size_t i = 0; i < std::min(in_pg.size(), positions.size()); ++i) {
      memory_.MutableRun(in_pg[i]).queue_pos = memory[in_pg[i]] = positions[i];
    }
    std::ranges::sort(in_memory);
    std::ranges::sort(in_pg);
  }
  if (in_pg != in_memory) fault = "they queue other runs, or in another order";
  pg_positions_ = pg;
  memory_positions_ = memory;
  return fault;
}

std::string StoreDifference::Compare() {
  for (int i = 1; i <= kOperations; ++i) {
    const Answers answers = Operate();
    const bool late = answers.pg.find("LEASE_LOST") != std::string::npos;
    ++done_[answers.what + (late ? " late" : "")];
    const std::string where = StrCat("operation ", i, ", ", answers.what, ": ");
    if (answers.pg != answers.memory) {
      return StrCat(where, "answers\n", answers.pg, "\n", answers.memory);
    }
    const bool attempts = i % 20 == 0 || i == kOperations;
    const std::string pg = PgState(attempts), memory = MemoryState(attempts);
    if (pg != memory) return StrCat(where, "PostgreSQL has\n", pg, "\nthe model has\n", memory);
    if (const auto fault = FollowQueue(answers.in_order); !fault.empty()) return where + fault;
  }
  return "";
}

TEST_P(StoreDifference, IsNoneUnlessTheModelIsWrong) {
  memory_.SetNow(absl::Now());
  AddSweep(8, 0, 0, 3);
  AddSweep(6, 0, 2, 2);
  AddSweep(6, 1, 3, 1);
  for (int i = 0; i < kWorkers; ++i) {
    v1::RegisterRequest request;
    request.set_name(StrCat("worker-", i));
    request.set_host("host-0");
    request.set_slots(4);
    request.set_incarnation(Bytes());
    const auto pg = pg_.Register(request, kPolicy, nullptr);
    const auto memory = memory_.Register(request, kPolicy, nullptr);
    ASSERT_TRUE(pg.ok() && memory.ok());
    workers_.push_back(
        {request.name(), request.incarnation(), "", pg->worker_id, memory->worker_id});
  }
  const std::string difference = Compare();
  if (GetParam().mutation != Mutation::kNone) {
    EXPECT_NE(difference, "") << "what the model does wrong went unnoticed";
    return;
  }
  ASSERT_EQ(difference, "");
  for (const char* what : {"claim", "register", "renew", "checkpoint", "checkpoint late", "release",
                           "fail", "fail late", "complete", "complete late", "expire", "due",
                           "pause", "resume", "stop", "cancel", "retry", "tell"}) {
    EXPECT_GT(done_[what], 0) << what << " was not tried";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreDifference,
                         ::testing::Values(Pair{1}, Pair{2}, Pair{3}, Pair{4}));
INSTANTIATE_TEST_SUITE_P(Mutants, StoreDifference,
                         ::testing::Values(Pair{1, Mutation::kCompleteWithoutFence},
                                           Pair{1, Mutation::kReleaseIsAFailure},
                                           Pair{1, Mutation::kVanishedMachineIsAFailure},
                                           Pair{1, Mutation::kOneFailureTooMany},
                                           Pair{1, Mutation::kQuarantineKeepsFailures},
                                           Pair{1, Mutation::kRetryKeepsResult},
                                           Pair{1, Mutation::kDivergedIsRetried},
                                           Pair{1, Mutation::kCancelForgetsThePaused}));

}  // namespace
}  // namespace gridsweep::coordinator

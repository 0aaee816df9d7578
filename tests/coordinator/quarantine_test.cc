#include "coordinator/store/quarantine.h"

#include <thread>

#include "coordinator/store/lifecycle.h"
#include "coordinator/store/workers.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(60);
constexpr FailurePolicy kThree{absl::ZeroDuration(), 3};

class Quarantine : public StoreTest {
 protected:
  Failed Fail(const Grant& grant, const FailurePolicy& policy = kThree) {
    const auto failed = FailLease(db_, grant.key, "cuda error", "", policy);
    EXPECT_TRUE(failed.ok()) << failed.status();
    return failed.value_or(Failed{});
  }
  v1::Worker Worker(const std::string& name) {
    const auto workers = ListWorkers(db_, true, kTtl);
    EXPECT_TRUE(workers.ok()) << workers.status();
    for (const v1::Worker& worker : *workers) {
      if (worker.name() == name) return worker;
    }
    ADD_FAILURE() << "no worker " << name;
    return {};
  }
  bool IsQuarantined(const std::string& name) {
    return Worker(name).directive() == v1::WORKER_DIRECTIVE_QUARANTINED;
  }
  void BackoffIsOver() { ASSERT_TRUE(DoUpkeep(db_, false, absl::ZeroDuration(), kThree).ok()); }
};

TEST_F(Quarantine, ComesAfterThreeDifferentRunsInARowWhichLoseNothing) {
  Create(SmallSweep(6));
  const auto bad = Register("bad");
  const auto grants = Claim(bad, 4);
  EXPECT_EQ(Fail(grants[0]).state, State::kBackoff);
  EXPECT_EQ(Fail(grants[1]).quarantined, "");
  EXPECT_EQ(Count("select sum(failures) from run_state"), 2);
  const Failed third = Fail(grants[2]);
  EXPECT_EQ(third.quarantined, "bad");
  EXPECT_EQ(third.state, State::kPending);
  EXPECT_TRUE(IsQuarantined("bad"));
  EXPECT_EQ(Worker("bad").directive_reason(),
            StrCat("failed 3 different runs in a row: ", grants[0].key.run_id, ", ",
                   grants[1].key.run_id, ", ", grants[2].key.run_id));
  EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
  EXPECT_EQ(Count("select count(*) from attempts where counted"), 0);
  EXPECT_EQ(Count("select count(*) from attempts where outcome = 'failed'"), 3)
      << "told all the same";
  // What it still holds may fail too, at no cost.
  EXPECT_EQ(Fail(grants[3]).state, State::kPending);
  EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
  EXPECT_TRUE(Claim(bad, 1).empty());
  EXPECT_EQ(Claim(Register("good"), 6).size(), 6u) << "its runs go elsewhere, at once";
}

TEST_F(Quarantine, AResultDoesNotMakeLaterFailuresThereCount) {
  Create(SmallSweep(5));
  const auto bad = Register("bad");
  const auto grants = Claim(bad, 5);
  for (int i = 0; i < 3; ++i) Fail(grants[static_cast<size_t>(i)]);
  ASSERT_TRUE(IsQuarantined("bad"));
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grants[3].key)).ok());
  EXPECT_EQ(Fail(grants[4]).state, State::kPending);
  EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
  EXPECT_TRUE(IsQuarantined("bad")) << "that ends with a word of its operator";
}

TEST_F(Quarantine, ARunThatHadFailedForGoodComesBack) {
  auto spec = SmallSweep(3);
  spec.settings.set_max_attempts(1);
  Create(spec);
  const auto grants = Claim(Register("bad"), 3);
  EXPECT_EQ(Fail(grants[0]).state, State::kFailed);
  EXPECT_EQ(Fail(grants[1]).state, State::kFailed);
  EXPECT_EQ(Fail(grants[2]).state, State::kPending);
  EXPECT_EQ(StateOf(grants[0].key.run_id), State::kPending);
  EXPECT_EQ(Claim(Register("good"), 3).size(), 3u);
}

TEST_F(Quarantine, AFailureThatAnotherWorkerHadStays) {
  Create(SmallSweep(3));
  const auto other = Register("other"), bad = Register("bad");
  const auto once = Claim(other, 1)[0];
  Fail(once);
  BackoffIsOver();
  for (const Grant& grant : Claim(bad, 3)) Fail(grant);
  EXPECT_TRUE(IsQuarantined("bad"));
  EXPECT_EQ(Count(StrCat("select failures from run_state where run_id = ", once.key.run_id)), 1);
  EXPECT_EQ(Count("select sum(failures) from run_state"), 1);
  EXPECT_EQ(Query("select worker from attempts where counted"), "other");
}

TEST_F(Quarantine, AResultEndsTheStreak) {
  Create(SmallSweep(6));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 6);
  Fail(grants[0]);
  Fail(grants[1]);
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grants[2].key)).ok());
  Fail(grants[3]);
  Fail(grants[4]);
  EXPECT_FALSE(IsQuarantined("w"));
  EXPECT_EQ(Count("select sum(failures) from run_state"), 4);
  Fail(grants[5]);
  EXPECT_TRUE(IsQuarantined("w"));
  EXPECT_EQ(Count("select sum(failures) from run_state"), 2) << "of before the result";
}

TEST_F(Quarantine, TheSameRunThreeTimesIsTheRunsFault) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  State state = State::kPending;
  for (int i = 0; i < 3; ++i) {
    state = Fail(Claim(worker, 1)[0]).state;
    BackoffIsOver();
  }
  EXPECT_EQ(state, State::kFailed);
  EXPECT_FALSE(IsQuarantined("w"));
}

TEST_F(Quarantine, BeingReleasedOrLostIsNoFailureOfTheWorker) {
  Create(SmallSweep(6));
  const auto worker = Register("w");
  for (const Grant& grant : Claim(worker, 3)) {
    ASSERT_TRUE(ReleaseLeases(db_, {grant.key}, "preempted").ok());
  }
  Claim(worker, 3, absl::ZeroDuration());
  ASSERT_EQ(DoUpkeep(db_, true, absl::ZeroDuration(), kThree)->expired.size(), 3u);
  Claim(worker, 3);
  Register("w", "another host");
  EXPECT_FALSE(IsQuarantined("w"));
  EXPECT_EQ(Count("select count(*) from worker_failures"), 0);
}

TEST_F(Quarantine, ZeroMeansNever) {
  Create(SmallSweep(5));
  for (const Grant& grant : Claim(Register("w"), 5)) Fail(grant, {absl::ZeroDuration(), 0});
  EXPECT_FALSE(IsQuarantined("w"));
  EXPECT_EQ(Count("select sum(failures) from run_state"), 5);
}

TEST_F(Quarantine, OneCrashIsOneOccasionHoweverManyRunsItTook) {
  Create(SmallSweep(12));
  Claim(Register("w"), 4);
  Claim(Register("w"), 4);
  Register("w");
  EXPECT_FALSE(IsQuarantined("w")) << "twice";
  Claim(Register("w"), 4);
  Register("w");
  EXPECT_TRUE(IsQuarantined("w"));
  EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
}

// One run that crashes every process must not take the whole fleet with it.
TEST_F(Quarantine, ARunThatCrashesTwoWorkersFailsInTheEnd) {
  const v1::Sweep sweep = Create(SmallSweep(40));
  const int64_t poison = sweep.first_run_id();
  for (const char* name : {"one", "two", "three"}) {
    Register(name);
    for (int crash = 0; crash < 3; ++crash) {
      Query("update run_state set queue_pos = -1 where run_id = " + std::to_string(poison) +
            " returning 1");
      BackoffIsOver();
      Claim(Register(name), 4);
      Register(name);
    }
  }
  EXPECT_TRUE(IsQuarantined("one"));
  EXPECT_TRUE(IsQuarantined("two"));
  EXPECT_EQ(StateOf(poison), State::kFailed);
  EXPECT_EQ(Count(StrCat("select sum(failures) from run_state where run_id <> ", poison)), 0);
}

TEST_F(Quarantine, OutlivesTheProcessAndEndsWithUncordon) {
  Create(SmallSweep(6));
  auto worker = Register("w");
  for (const Grant& grant : Claim(worker, 3)) Fail(grant);
  worker = Register("w");
  EXPECT_TRUE(IsQuarantined("w"));
  Database after_a_restart({conninfo_});
  const auto claimed =
      ClaimRuns(after_a_restart, {{worker.id, worker.incarnation, RandomBytes(16), 1}}, kTtl);
  ASSERT_TRUE(claimed.ok());
  EXPECT_TRUE((*claimed)[0].registered);
  EXPECT_EQ((*claimed)[0].directive, v1::WORKER_DIRECTIVE_QUARANTINED);
  EXPECT_TRUE((*claimed)[0].grants.empty());
  EXPECT_EQ(RenewLeases(db_, worker.id, worker.incarnation, {}, kTtl)->directive,
            v1::WORKER_DIRECTIVE_QUARANTINED);
  const auto uncordoned = UncordonWorker(db_, "w", kTtl);
  ASSERT_TRUE(uncordoned.ok()) << uncordoned.status();
  EXPECT_EQ(uncordoned->directive(), v1::WORKER_DIRECTIVE_RUN);
  EXPECT_EQ(uncordoned->directive_reason(), "");
  const auto grants = Claim(worker, 2);
  ASSERT_EQ(grants.size(), 2u);
  Fail(grants[0]);
  Fail(grants[1]);
  EXPECT_FALSE(IsQuarantined("w")) << "the streak begins anew";
}

TEST_F(Quarantine, TakesBackIntoThePauseOrTheEndOfTheSweep) {
  const v1::Sweep paused = Create(SmallSweep(2)), stopped = Create(SmallSweep(2));
  const auto grants = Claim(Register("w"), 4);
  Fail(grants[0]);  // they take turns: one of each sweep
  Fail(grants[1]);
  ASSERT_TRUE(PauseSweep(db_, paused.sweep_id()).ok());
  ASSERT_TRUE(StopSweep(db_, stopped.sweep_id()).ok());
  Fail(grants[2]);
  Fail(grants[3]);
  EXPECT_EQ(Count(StrCat("select count(*) from run_state where state = 2 and sweep_id = ",
                         paused.sweep_id())),
            2);
  EXPECT_EQ(Count(StrCat("select count(*) from run_state where state = 7 and sweep_id = ",
                         stopped.sweep_id())),
            2);
  EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
}

TEST_F(Quarantine, ARetriedRunHasNothingToTakeBack) {
  const v1::Sweep sweep = Create(SmallSweep(3));
  Query("update sweeps set max_attempts = 1 returning 1");
  const auto grants = Claim(Register("w"), 3);
  Fail(grants[0]);
  ASSERT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).value(), 1);
  Fail(grants[1]);
  Fail(grants[2]);
  EXPECT_TRUE(IsQuarantined("w"));
  EXPECT_EQ(Count("select min(failures) + max(failures) from run_state"), 0);
}

TEST_F(Quarantine, FailuresAtTheSameMomentAreAllSeen) {
  for (int round = 0; round < 15; ++round) {
    Create(SmallSweep(3));
    const auto worker = Register(StrCat("w", round));
    const auto grants = Claim(worker, 3);
    ASSERT_EQ(grants.size(), 3u);
    std::vector<std::thread> threads;
    for (const Grant& grant : grants) {
      threads.emplace_back([&] {
        Database database({conninfo_});
        EXPECT_TRUE(FailLease(database, grant.key, "", "", kThree).ok());
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(IsQuarantined(StrCat("w", round)));
    EXPECT_EQ(Count("select sum(failures) from run_state"), 0);
    // The next round has the queue for itself.
    Query("update run_state set state = 7 returning 1");
  }
}

TEST_F(Quarantine, CordonedWorkersTakeNothingAndDrainedOnesGiveBack) {
  Create(SmallSweep(4));
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  const auto beat = [&] {
    return RenewLeases(db_, worker.id, worker.incarnation, {{grant.key, {}}}, kTtl).value();
  };
  EXPECT_EQ(CordonWorker(db_, "w", kTtl)->directive(), v1::WORKER_DIRECTIVE_DRAIN);
  EXPECT_TRUE(Claim(worker, 1).empty());
  EXPECT_EQ(beat().directive, v1::WORKER_DIRECTIVE_DRAIN);
  EXPECT_FALSE(beat().releasing);
  EXPECT_TRUE(DrainWorker(db_, "w", kTtl)->releasing());
  EXPECT_TRUE(beat().releasing);
  EXPECT_FALSE(UncordonWorker(db_, "w", kTtl)->releasing());
  EXPECT_EQ(Claim(worker, 1).size(), 1u);
  for (const auto tell : {CordonWorker, DrainWorker, UncordonWorker}) {
    EXPECT_TRUE(absl::IsNotFound(tell(db_, "nobody", kTtl).status()));
  }
}

TEST_F(Quarantine, ACordonDoesNotHideAQuarantine) {
  Create(SmallSweep(3));
  for (const Grant& grant : Claim(Register("w"), 3)) Fail(grant);
  EXPECT_EQ(CordonWorker(db_, "w", kTtl)->directive(), v1::WORKER_DIRECTIVE_QUARANTINED);
  Query("update worker_sightings set seen_at = now() - interval '1 day' returning 1");
  EXPECT_EQ(ListWorkers(db_, false, kTtl)->size(), 1u) << "it waits to be seen";
}

}  // namespace
}  // namespace gridsweep::coordinator

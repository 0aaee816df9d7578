#include "coordinator/store/lifecycle.h"

#include <atomic>
#include <set>
#include <thread>

#include "coordinator/store/artifact_garbage.h"
#include "coordinator/store/artifact_uploads.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/runs.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kNow = absl::ZeroDuration();
constexpr FailurePolicy kAtOnce{kNow, 0};

class Lifecycle : public StoreTest {
 protected:
  // Runs of the sweep in that state.
  int64_t In(State state, int64_t sweep_id) {
    return Count(StrCat("select count(*) from run_state where sweep_id = ", sweep_id,
                        " and state = ", static_cast<int>(state)));
  }
  Completion Diverged(const LeaseKey& key) {
    Completion completion = ResultOf(key);
    completion.header.set_outcome(v1::OUTCOME_DIVERGED);
    completion.header.set_unit_count(0);
    completion.header.set_steps(70);
    completion.units.clear();
    return completion;
  }
  void FailUntilFailed(const TestWorker& worker) {
    for (State state = State::kBackoff; state != State::kFailed;) {
      ASSERT_TRUE(DoUpkeep(db_, false, kNow, kAtOnce).ok());
      const auto grants = Claim(worker, 1);
      ASSERT_EQ(grants.size(), 1u);
      state = FailLease(db_, grants[0].key, "out of memory", "tail", kAtOnce)->state;
    }
  }
  // All rows of a sweep's runs, in all tables.
  int64_t RowsOf(const v1::Sweep& sweep) {
    int64_t rows = Count(StrCat("select count(*) from sweeps where sweep_id = ", sweep.sweep_id()));
    for (const char* table :
         {"runs", "run_state", "leases", "attempts", "run_results", "units", "unit_rollups",
          "learning_curves", "worker_failures", "checkpoints"}) {
      rows += Count(StrCat("select count(*) from ", table, " where run_id between ",
                           sweep.first_run_id(), " and ",
                           sweep.first_run_id() + sweep.counts().total() - 1));
    }
    return rows;
  }
  // The lease of a run, and the hash of a file of a deleted sweep: its row is gone, the file is
  // not.
  std::pair<LeaseKey, std::string> ForgetAFile() {
    const v1::Sweep sweep = Create(SmallSweep(1));
    const auto worker = Register("w");
    const Completion first = ResultOf(Claim(worker, 1)[0].key);
    EXPECT_TRUE(CompleteRun(db_, first).ok());
    Create(SmallSweep(1));
    const LeaseKey other = Claim(worker, 1)[0].key;
    EXPECT_TRUE(DeleteSweep(db_, sweep.sweep_id()).ok());
    DeleteToTheEnd();
    EXPECT_EQ(ForgetArtifacts(db_, 10).value(), 1);
    return {other, first.header.artifacts(0).sha256()};
  }
  void DeleteToTheEnd() {
    while (DeleteSomeRuns(db_, 2).value()) {
    }
  }
};

using Pausing = Lifecycle;
using Stopping = Lifecycle;
using Retrying = Lifecycle;
using Deleting = Lifecycle;

TEST_F(Pausing, KeepsWaitingRunsFromWorkersAndLeavesLeasedOnes) {
  const v1::Sweep sweep = Create(SmallSweep(5));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 2);
  ASSERT_TRUE(FailLease(db_, grants[0].key, "", "", {absl::Hours(1)}).ok());
  const auto paused = PauseSweep(db_, sweep.sweep_id());
  ASSERT_TRUE(paused.ok()) << paused.status();
  EXPECT_EQ(paused->waiting, 4) << "three that were pending, one in backoff";
  EXPECT_EQ(paused->leased, 1);
  EXPECT_EQ(In(State::kPaused, sweep.sweep_id()), 4);
  EXPECT_TRUE(Claim(worker, 5).empty());
  EXPECT_TRUE(CompleteRun(db_, ResultOf(grants[1].key)).ok());
  const auto again = PauseSweep(db_, sweep.sweep_id());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->waiting, 0);
  EXPECT_EQ(again->leased, 0);
  EXPECT_TRUE(GetSweep(db_, sweep.sweep_id())->has_paused_at());
}

TEST_F(Pausing, HoldsOnToRunsThatComeBackLater) {
  auto spec = SmallSweep(4);
  const v1::Sweep sweep = Create(spec);
  const auto worker = Register("w"), crashing = Register("crashing");
  const auto grants = Claim(worker, 2);
  Claim(worker, 1, kNow);
  Claim(crashing, 1);
  ASSERT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
  ASSERT_TRUE(ReleaseLeases(db_, {grants[0].key}, "preempted").ok());
  EXPECT_EQ(FailLease(db_, grants[1].key, "", "", kAtOnce)->state, State::kPaused);
  EXPECT_EQ(DoUpkeep(db_, true, kNow, kAtOnce)->expired.size(), 1u);
  Register("crashing");
  EXPECT_EQ(In(State::kPaused, sweep.sweep_id()), 4);
  EXPECT_EQ(DoUpkeep(db_, true, kNow, kAtOnce)->due, 0);
  EXPECT_TRUE(Claim(worker, 4).empty());
  EXPECT_EQ(Count("select sum(failures) from run_state"), 2) << "of a failure and of a crash";
}

TEST_F(Pausing, DoesNotSaveARunFromItsLastFailure) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto worker = Register("w");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(FailLease(db_, Claim(worker, 1)[0].key, "", "", kAtOnce).ok());
    ASSERT_TRUE(DoUpkeep(db_, false, kNow, kAtOnce).ok());
  }
  const auto last = Claim(worker, 1)[0];
  ASSERT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
  EXPECT_EQ(FailLease(db_, last.key, "", "", kAtOnce)->state, State::kFailed);
}

TEST_F(Pausing, ResumedRunsQueueBehindOthersInTheirOrder) {
  const v1::Sweep sweep = Create(SmallSweep(4));
  const auto worker = Register("w");
  ASSERT_TRUE(FailLease(db_, Claim(worker, 1)[0].key, "", "", {absl::Hours(1)}).ok());
  const auto before = Count("select max(queue_pos) from run_state");
  ASSERT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
  EXPECT_EQ(ResumeSweep(db_, sweep.sweep_id()).value(), 4);
  EXPECT_EQ(ResumeSweep(db_, sweep.sweep_id()).value(), 0);
  EXPECT_FALSE(GetSweep(db_, sweep.sweep_id())->has_paused_at());
  EXPECT_GT(Count("select min(queue_pos) from run_state"), before);
  EXPECT_EQ(StateOf(sweep.first_run_id()), State::kBackoff) << "its pause is not over";
  const auto grants = Claim(worker, 4);
  ASSERT_EQ(grants.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(grants[i].key.run_id, sweep.first_run_id() + 1 + i);
}

// Runs are claimed, given back, failed and expire while the sweep is paused.
TEST_F(Pausing, HoldsAgainstRunsThatComeBackAtTheSameMoment) {
  auto spec = SmallSweep(40);
  spec.settings.set_max_attempts(1000);
  const v1::Sweep sweep = Create(spec);
  for (int round = 0; round < 12; ++round) {
    std::atomic<bool> paused = false, late_grant = false, stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      const auto worker = Register(StrCat("w", i));
      threads.emplace_back([&, worker, i] {
        Database database({conninfo_});
        while (!stop) {
          const bool was_paused = paused;
          const auto claimed = ClaimRuns(
              database, {{worker.id, worker.incarnation, RandomBytes(16), 3}}, absl::Seconds(60));
          ASSERT_TRUE(claimed.ok()) << claimed.status();
          if (was_paused && !(*claimed)[0].grants.empty()) late_grant = true;
          for (const Grant& grant : (*claimed)[0].grants) {
            if (i % 2 == 0) {
              EXPECT_TRUE(ReleaseLeases(database, {grant.key}, "").ok());
            } else {
              EXPECT_TRUE(FailLease(database, grant.key, "", "", kAtOnce).ok());
            }
          }
          EXPECT_TRUE(DoUpkeep(database, true, kNow, kAtOnce).ok());
        }
      });
    }
    absl::SleepFor(absl::Milliseconds(5 * round));  // another moment each round
    EXPECT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
    paused = true;
    EXPECT_EQ(In(State::kPending, sweep.sweep_id()) + In(State::kBackoff, sweep.sweep_id()), 0);
    for (int i = 0; i < 20; ++i) (void)DoUpkeep(db_, true, kNow, kAtOnce);
    stop = true;
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(late_grant) << round;
    EXPECT_EQ(In(State::kPaused, sweep.sweep_id()), 40) << round;
    ASSERT_EQ(ResumeSweep(db_, sweep.sweep_id()).value(), 40);
  }
}

TEST_F(Stopping, CancelsWhatWaitsAndLetsTheRestFinish) {
  const v1::Sweep sweep = Create(SmallSweep(6));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 4);
  ASSERT_TRUE(FailLease(db_, grants[3].key, "", "", {absl::Hours(1)}).ok());
  const auto stopped = StopSweep(db_, sweep.sweep_id());
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(stopped->waiting, 3) << "two that were pending, one in backoff";
  EXPECT_EQ(stopped->leased, 3);
  const auto renewed =
      RenewLeases(db_, worker.id, worker.incarnation, {{grants[0].key, {}}}, absl::Seconds(60));
  EXPECT_FALSE(renewed->held[0].cancelling);
  EXPECT_TRUE(CompleteRun(db_, ResultOf(grants[0].key)).ok());
  // What comes back unfinished does not start again.
  ASSERT_TRUE(ReleaseLeases(db_, {grants[1].key}, "preempted").ok());
  EXPECT_EQ(FailLease(db_, grants[2].key, "", "", kAtOnce)->state, State::kCancelled);
  EXPECT_EQ(StateOf(grants[1].key.run_id), State::kCancelled);
  EXPECT_EQ(Query(StrCat("select outcome from attempts where run_id = ", grants[1].key.run_id)),
            "released");
  EXPECT_EQ(StopSweep(db_, sweep.sweep_id())->waiting, 0);
  EXPECT_TRUE(Claim(worker, 6).empty());
}

TEST_F(Retrying, AFailedRunStartsWithNoFailuresAndKeepsItsHistory) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto worker = Register("w");
  FailUntilFailed(worker);
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kDiverged}, {}).value(), 0);
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).value(), 1);
  EXPECT_EQ(StateOf(sweep.first_run_id()), State::kPending);
  EXPECT_EQ(Count("select failures from run_state"), 0);
  EXPECT_EQ(Claim(worker, 1)[0].attempt, 4);
  EXPECT_EQ(Count("select count(*) from attempts where outcome = 'failed' and not counted"), 3);
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).value(), 0) << "it is leased";
}

TEST_F(Retrying, ADivergedResultGoesToItsAttempt) {
  const v1::Sweep sweep = Create(SmallSweep(2));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 2);
  ASSERT_TRUE(CompleteRun(db_, Diverged(grants[0].key)).ok());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grants[1].key)).ok());
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed, State::kDiverged}, {}).value(), 1);
  const int64_t run = grants[0].key.run_id;
  EXPECT_EQ(StateOf(run), State::kPending);
  EXPECT_EQ(StateOf(grants[1].key.run_id), State::kSucceeded) << "a result that counts stays";
  for (const char* table : {"run_results", "learning_curves"}) {
    EXPECT_EQ(Count(StrCat("select count(*) from ", table, " where run_id = ", run)), 0) << table;
    EXPECT_EQ(Count(StrCat("select count(*) from ", table)), 1) << table;
  }
  const auto shown = GetRun(db_, run);
  ASSERT_TRUE(shown.ok()) << shown.status();
  ASSERT_EQ(shown->attempts_size(), 1);
  EXPECT_EQ(shown->attempts(0).outcome(), "diverged");
  const v1::WithdrawnResult& withdrawn = shown->attempts(0).withdrawn();
  EXPECT_EQ(withdrawn.steps(), 70u);
  EXPECT_EQ(withdrawn.numerics_id(), "test");
  EXPECT_EQ(withdrawn.metrics().at("loss"), 0.5);
  EXPECT_EQ(withdrawn.metrics().at("pos_err_published"), 12.25);
  EXPECT_EQ(withdrawn.artifact_sha256(), ToHex(Sha256::Of(StrCat("artifact of ", run))));
  EXPECT_GE(withdrawn.withdrawn_at().seconds(), withdrawn.finished_at().seconds());
  // The second time it succeeds; the history has both.
  ASSERT_TRUE(CompleteRun(db_, ResultOf(Claim(worker, 1)[0].key)).ok());
  EXPECT_EQ(StateOf(run), State::kSucceeded);
  EXPECT_EQ(GetRun(db_, run)->attempts_size(), 2);
}

TEST_F(Retrying, BeginsAnewWithoutTheOldCheckpoint) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  Query("update sweeps set max_attempts = 1 returning 1");
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  v1::CheckpointRef checkpoint;
  checkpoint.set_step(10);
  checkpoint.set_sha256(Sha256::Of("checkpoint"));
  ASSERT_TRUE(RecordCheckpoint(db_, grant.key, checkpoint).ok());
  ASSERT_EQ(FailLease(db_, grant.key, "", "", kAtOnce)->state, State::kFailed);
  ASSERT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).value(), 1);
  EXPECT_FALSE(Claim(worker, 1)[0].checkpoint.has_value());
}

TEST_F(Retrying, UnitsAndRollupsGoWithTheResult) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto grant = Claim(Register("w"), 1)[0];
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grant.key)).ok());
  // No diverged run has units today; the rule must not hang on that.
  Query("update run_state set state = 5 returning 1");
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kDiverged}, {}).value(), 1);
  for (const char* table : {"run_results", "learning_curves", "units", "unit_rollups"}) {
    EXPECT_EQ(Count(StrCat("select count(*) from ", table)), 0) << table;
  }
}

TEST_F(Retrying, ALateResultIsRefused) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto grant = Claim(Register("w"), 1)[0];
  const Completion result = Diverged(grant.key);
  ASSERT_TRUE(CompleteRun(db_, result).ok());
  EXPECT_TRUE(CompleteRun(db_, result).value()) << "a repeat is harmless until then";
  ASSERT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kDiverged}, {}).value(), 1);
  const auto before = RowCounts();
  EXPECT_TRUE(IsLost(CompleteRun(db_, result).status()));
  EXPECT_EQ(RowCounts(), before);
  EXPECT_EQ(StateOf(sweep.first_run_id()), State::kPending);
}

TEST_F(Retrying, NeverLosesARaceAgainstALateResult) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto worker = Register("w");
  for (int round = 0; round < 20; ++round) {
    const auto grants = Claim(worker, 1);
    ASSERT_EQ(grants.size(), 1u);
    const Completion result = Diverged(grants[0].key);
    ASSERT_TRUE(CompleteRun(db_, result).ok());
    std::atomic<bool> retried = false, wrong = false;
    std::thread late([&] {
      Database database({conninfo_});
      for (bool lost = false; !lost;) {
        const bool after = retried;
        const auto answer = CompleteRun(database, result);
        lost = IsLost(answer.status());
        // Recorded before, or refused: never stored anew.
        if (!lost && (!answer.ok() || !*answer || after)) wrong = true;
        if (wrong) return;
      }
    });
    absl::SleepFor(absl::Milliseconds(round));
    EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kDiverged}, {}).value(), 1);
    retried = true;
    late.join();
    EXPECT_FALSE(wrong);
    EXPECT_EQ(Count("select count(*) from run_results"), 0);
    EXPECT_EQ(StateOf(sweep.first_run_id()), State::kPending);
  }
}

TEST_F(Retrying, TakesOnlyTheRunsThatAreNamed) {
  const v1::Sweep sweep = Create(SmallSweep(3));
  Query("update run_state set state = 6 returning 1");
  const int64_t first = sweep.first_run_id();
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {first + 2, first + 99}).value(),
            1);
  EXPECT_EQ(StateOf(first + 2), State::kPending);
  EXPECT_EQ(In(State::kFailed, sweep.sweep_id()), 2);
}

TEST_F(Retrying, CancelledRunsTakeBackTheCancelAndAPausedSweepStaysPaused) {
  const v1::Sweep sweep = Create(SmallSweep(2));
  const auto worker = Register("w");
  ASSERT_TRUE(CancelSweep(db_, sweep.sweep_id()).ok());
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).value(), 0);
  EXPECT_TRUE(GetSweep(db_, sweep.sweep_id())->has_cancelled_at()) << "nothing was retried";
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kCancelled}, {}).value(), 2);
  EXPECT_FALSE(GetSweep(db_, sweep.sweep_id())->has_cancelled_at());
  const auto grants = Claim(worker, 1);
  ASSERT_EQ(grants.size(), 1u);
  ASSERT_TRUE(ReleaseLeases(db_, {grants[0].key}, "").ok());
  EXPECT_EQ(StateOf(grants[0].key.run_id), State::kPending);
  ASSERT_TRUE(StopSweep(db_, sweep.sweep_id()).ok());
  ASSERT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
  EXPECT_EQ(RetrySweep(db_, sweep.sweep_id(), {State::kCancelled}, {}).value(), 2);
  EXPECT_EQ(In(State::kPaused, sweep.sweep_id()), 2);
  EXPECT_EQ(ResumeSweep(db_, sweep.sweep_id()).value(), 2);
  EXPECT_EQ(Claim(worker, 2).size(), 2u);
}

TEST_F(Deleting, IsRefusedWhileRunsAreLeased) {
  const v1::Sweep sweep = Create(SmallSweep(3));
  const auto worker = Register("w");
  const auto grant = Claim(worker, 1)[0];
  const auto before = RowCounts();
  const auto refused = DeleteSweep(db_, sweep.sweep_id());
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status())) << refused.status();
  EXPECT_EQ(Reason(refused.status()), "SWEEP_HAS_LEASES");
  EXPECT_EQ(RowCounts(), before);
  EXPECT_EQ(In(State::kPending, sweep.sweep_id()), 2) << "a refusal cancels nothing";
  EXPECT_TRUE(CheckLease(db_, grant.key).ok());
  ASSERT_TRUE(CancelSweep(db_, sweep.sweep_id()).ok());
  ASSERT_TRUE(ReleaseLeases(db_, {grant.key}, "").ok());
  EXPECT_EQ(DeleteSweep(db_, sweep.sweep_id()).value(), 3);
}

TEST_F(Deleting, TakesAllRowsOfTheSweepAndNoOthers) {
  const v1::Sweep sweep = Create(SmallSweep(5), "request");
  const auto worker = Register("w");
  for (const Grant& grant : Claim(worker, 2)) {
    ASSERT_TRUE(CompleteRun(db_, ResultOf(grant.key)).ok());
  }
  ASSERT_TRUE(FailLease(db_, Claim(worker, 1)[0].key, "", "", kAtOnce).ok());
  v1::CheckpointRef checkpoint;
  checkpoint.set_sha256(Sha256::Of("checkpoint"));
  const LeaseKey saved = Claim(worker, 1)[0].key;
  ASSERT_TRUE(RecordCheckpoint(db_, saved, checkpoint).ok());
  ASSERT_TRUE(ReleaseLeases(db_, {saved}, "").ok());
  const v1::Sweep other = Create(SmallSweep(3));
  ASSERT_TRUE(PauseSweep(db_, sweep.sweep_id()).ok());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(Claim(worker, 1)[0].key)).ok());
  const int64_t of_other = RowsOf(other);
  ASSERT_EQ(DeleteSweep(db_, sweep.sweep_id()).value(), 5);
  // Gone for its users at once, though no row has gone yet.
  EXPECT_TRUE(absl::IsNotFound(GetSweep(db_, sweep.sweep_id()).status()));
  EXPECT_TRUE(absl::IsNotFound(DeleteSweep(db_, sweep.sweep_id()).status()));
  EXPECT_TRUE(absl::IsNotFound(RetrySweep(db_, sweep.sweep_id(), {State::kFailed}, {}).status()));
  EXPECT_TRUE(absl::IsNotFound(ListRuns(db_, sweep.sweep_id(), {}, 0, 1).status()));
  EXPECT_TRUE(absl::IsNotFound(GetRun(db_, sweep.first_run_id()).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadSnapshot(db_, sweep.sweep_id()).status()));
  EXPECT_EQ(GetSweepByName(db_, "small")->sweep_id(), other.sweep_id());
  EXPECT_EQ(ListSweeps(db_, 0, 10)->size(), 1u);
  EXPECT_EQ(Count("select count(*) from dash.sweeps"), 1);
  DeleteToTheEnd();
  EXPECT_EQ(RowsOf(sweep), 0);
  EXPECT_EQ(RowsOf(other), of_other);
  const auto anew = SmallSweep(1);
  EXPECT_FALSE(CreateSweep(db_, {"small", "request", "h", "text", &anew})->already_existed)
      << "its request id is free";
}

TEST_F(Deleting, AFileGoesUnlessAnotherRunNamesIt) {
  const v1::Sweep sweep = Create(SmallSweep(2));
  const auto worker = Register("w");
  const auto grants = Claim(worker, 2);
  const std::string own = Sha256::Of(StrCat("artifact of ", grants[0].key.run_id));
  const std::string shared = Sha256::Of(StrCat("artifact of ", grants[1].key.run_id));
  for (const Grant& grant : grants) ASSERT_TRUE(CompleteRun(db_, ResultOf(grant.key)).ok());
  Create(SmallSweep(1));
  Completion same = ResultOf(Claim(worker, 1)[0].key);
  same.header.mutable_artifacts(0)->set_sha256(shared);
  ASSERT_TRUE(CompleteRun(db_, same).ok());
  ASSERT_TRUE(DeleteSweep(db_, sweep.sweep_id()).ok());
  DeleteToTheEnd();
  std::set<std::string> unlinked;
  const auto unlink = [&](const std::string& sha256) {
    unlinked.insert(sha256);
    return absl::OkStatus();
  };
  EXPECT_EQ(UnlinkForgotten(db_, 10, unlink).value(), 0) << "not before the row is gone";
  EXPECT_EQ(ForgetArtifacts(db_, 10).value(), 2);
  EXPECT_EQ(ForgetArtifacts(db_, 10).value(), 0);
  // A file that cannot be removed is not forgotten.
  EXPECT_EQ(UnlinkForgotten(db_, 10, [](const auto&) { return absl::InternalError(""); }).value(),
            0);
  EXPECT_EQ(UnlinkForgotten(db_, 10, unlink).value(), 1);
  EXPECT_EQ(unlinked, std::set<std::string>{own});
  EXPECT_EQ(
      Count("select count(*) from artifacts where sha256 = decode('" + ToHex(shared) + "', 'hex')"),
      1);
  EXPECT_EQ(Count("select count(*) from artifact_garbage"), 0);
}

TEST_F(Deleting, AnUploadOfTheSameBytesKeepsTheFile) {
  const auto [other, sha256] = ForgetAFile();
  // Its row is gone, its file is not: here the same bytes come again.
  ASSERT_FALSE(AnnounceArtifact(db_, other, sha256, "result").value());
  ASSERT_TRUE(RecordArtifact(db_, other, sha256, 10, "result").ok());
  EXPECT_EQ(UnlinkForgotten(db_, 10, [](const auto&) { return absl::OkStatus(); }).value(), 0);
}

TEST_F(Deleting, AnUploadInTheMiddleOfTheUnlinkingWaitsForItsEnd) {
  const auto [other, sha256] = ForgetAFile();
  std::atomic<bool> recorded = false, recorded_too_soon = false;
  std::thread uploader;
  const auto unlink = [&](const std::string&) {
    uploader = std::thread([&] {
      Database database({conninfo_});
      EXPECT_TRUE(RecordArtifact(database, other, sha256, 10, "result").ok());
      recorded = true;
    });
    // Until the other waits for this transaction's lock.
    Database watcher({conninfo_});
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    for (bool waits = false; !waits && absl::Now() < deadline;) {
      waits = watcher
                  .Transact([&](Transaction& t) -> absl::StatusOr<bool> {
                    return !t.ExecText(
                                 "select 1 from pg_stat_activity where wait_event_type = "
                                 "'Lock' and datname = current_database()")
                                .empty();
                  })
                  .value();
    }
    recorded_too_soon = recorded.load();
    return absl::OkStatus();
  };
  EXPECT_EQ(UnlinkForgotten(db_, 10, unlink).value(), 1);
  uploader.join();
  EXPECT_FALSE(recorded_too_soon) << "its look for the file would have come before the unlinking";
}

}  // namespace
}  // namespace gridsweep::coordinator

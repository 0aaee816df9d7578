#include "coordinator/store/reuse.h"

#include "coordinator/store/lifecycle.h"
#include "coordinator/store/runs.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

class Reuse : public StoreTest {
 protected:
  // A sweep of seeds 0 to `runs` - 1 that asks for reuse.
  v1::Sweep CreateReusing(int runs) {
    auto sweep = SmallSweep(runs);
    sweep.settings.set_reuse(true);
    const auto created = CreateSweep(db_, {sweep.name, "", "h", "text", &sweep});
    EXPECT_TRUE(created.ok()) << created.status();
    set_aside_ = created.ok() ? created->reusable : -1;
    return created.ok() ? created->sweep : v1::Sweep();
  }
  // Results of this program's formulas; the first of two runs diverges where `diverge`.
  void Finish(const std::vector<Grant>& grants, bool diverge = false,
              uint32_t science_version = science::kScienceVersion) {
    for (const Grant& grant : grants) {
      Completion completion = ResultOf(grant.key);
      completion.header.set_science_version(science_version);
      if (diverge && &grant == &grants[0]) {
        completion.header.set_outcome(v1::OUTCOME_DIVERGED);
        completion.header.set_unit_count(0);
        completion.header.set_steps(70);
        completion.units.clear();
      }
      EXPECT_TRUE(CompleteRun(db_, completion).ok());
    }
  }
  v1::Run RunOf(int64_t run_id) {
    const auto got = GetRun(db_, run_id);
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? got->run() : v1::Run();
  }
  // What `table` says of a run, but for its id.
  std::string RowsOf(const std::string& table, int64_t run_id) {
    return Query(
        StrCat("select coalesce(string_agg((to_jsonb(t) - 'run_id')::text, ' '"
               " order by (to_jsonb(t) - 'run_id')::text), '') from ",
               table, " t where run_id = ", run_id));
  }
  int64_t ClaimableRuns(int64_t sweep_id) {
    return Count(
        StrCat("select count(*) from run_state where state = 0 and class >= 0"
               " and sweep_id = ",
               sweep_id));
  }

  int64_t set_aside_ = 0;
};

TEST_F(Reuse, TrainsTheNewPointsAlone) {
  const v1::Sweep old = Create(SmallSweep(2));
  const auto worker = Register("w");
  Finish(Claim(worker, 2), /*diverge=*/true);
  const v1::Sweep grown = CreateReusing(3);
  EXPECT_EQ(set_aside_, 2);
  const auto grants = Claim(worker, 5);
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].key.run_id, grown.first_run_id() + 2);

  const auto reused = ReuseResults(db_, 10);
  ASSERT_TRUE(reused.ok()) << reused.status();
  EXPECT_EQ(reused->runs, 2);
  EXPECT_EQ(ReuseResults(db_, 10)->looked_at, 0);
  for (int i = 0; i < 2; ++i) {
    const int64_t source = old.first_run_id() + i, run = grown.first_run_id() + i;
    EXPECT_EQ(StateOf(run), i == 0 ? State::kDiverged : State::kSucceeded);
    for (const char* table : {"units", "unit_rollups", "learning_curves"}) {
      EXPECT_EQ(RowsOf(table, run), RowsOf(table, source)) << table;
    }
    const auto shown = [&](int64_t id) {
      return Query(StrCat("select (readout, readout_family, units_above) from run_results where "
                          "run_id = ",
                          id));
    };
    EXPECT_EQ(shown(run), shown(source));
    EXPECT_EQ(RunOf(run).reused_from_run_id(), source);
    EXPECT_EQ(RunOf(source).reused_from_run_id(), 0);
    EXPECT_EQ(RunOf(run).artifact_sha256(), RunOf(source).artifact_sha256());
    EXPECT_EQ(RunOf(run).metrics().at("loss"), 0.5);
    EXPECT_EQ(RunOf(run).attempt(), 0);
  }
  EXPECT_EQ(GetSweep(db_, grown.sweep_id())->counts().reused(), 2);
  EXPECT_EQ(GetSweep(db_, old.sweep_id())->counts().reused(), 0);
}

TEST_F(Reuse, IsOffUnlessTheSweepAsksForIt) {
  Create(SmallSweep(1));
  const auto worker = Register("w");
  Finish(Claim(worker, 1));
  Create(SmallSweep(1));
  EXPECT_EQ(ReuseResults(db_, 10)->looked_at, 0);
  EXPECT_EQ(Claim(worker, 1).size(), 1u);
}

TEST_F(Reuse, LeavesAloneWhatIsUnfinishedOrOfOtherFormulas) {
  Create(SmallSweep(2));
  const auto worker = Register("w");
  Finish(Claim(worker, 1), false, science::kScienceVersion + 1);
  CreateReusing(2);
  EXPECT_EQ(set_aside_, 0);
}

TEST_F(Reuse, NamesTheRunThatWasTrainedHoweverOftenItServes) {
  const v1::Sweep first = Create(SmallSweep(1));
  Finish(Claim(Register("w"), 1));
  for (int i = 0; i < 3; ++i) {
    const v1::Sweep next = CreateReusing(1);
    ASSERT_EQ(ReuseResults(db_, 10)->runs, 1);
    EXPECT_EQ(RunOf(next.first_run_id()).reused_from_run_id(), first.first_run_id());
  }
}

TEST_F(Reuse, OutlivesTheSweepThatWasTrained) {
  const v1::Sweep old = Create(SmallSweep(1));
  Finish(Claim(Register("w"), 1));
  const v1::Sweep next = CreateReusing(1);
  ASSERT_EQ(ReuseResults(db_, 10)->runs, 1);
  ASSERT_TRUE(DeleteSweep(db_, old.sweep_id()).ok());
  while (DeleteSomeRuns(db_, 10).value()) {
  }
  EXPECT_EQ(Count("select count(*) from units"), kUnits);
  EXPECT_EQ(Count("select count(*) from artifacts"), 1);
  EXPECT_EQ(RunOf(next.first_run_id()).reused_from_run_id(), old.first_run_id());
}

TEST_F(Reuse, TrainsARunWhoseSourceGoesFirst) {
  const v1::Sweep old = Create(SmallSweep(1));
  const auto worker = Register("w");
  Finish(Claim(worker, 1));
  CreateReusing(1);
  ASSERT_TRUE(DeleteSweep(db_, old.sweep_id()).ok());
  while (DeleteSomeRuns(db_, 10).value()) {
  }
  EXPECT_TRUE(Claim(worker, 1).empty());
  EXPECT_EQ(ReuseResults(db_, 10)->queued, 1);
  EXPECT_EQ(Claim(worker, 1).size(), 1u);
}

TEST_F(Reuse, DoesNotBringBackWhatWasCancelledOrDeleted) {
  Create(SmallSweep(1));
  Finish(Claim(Register("w"), 1));
  const v1::Sweep cancelled = CreateReusing(1), deleted = CreateReusing(1);
  ASSERT_TRUE(CancelSweep(db_, cancelled.sweep_id()).ok());
  ASSERT_TRUE(DeleteSweep(db_, deleted.sweep_id()).ok());
  while (DeleteSomeRuns(db_, 10).value()) {
  }
  EXPECT_EQ(ReuseResults(db_, 10)->runs, 0);
  EXPECT_EQ(StateOf(cancelled.first_run_id()), State::kCancelled);
  EXPECT_EQ(Count("select count(*) from reuses"), 0);
}

TEST_F(Reuse, GivesAPausedSweepItsResults) {
  Create(SmallSweep(1));
  Finish(Claim(Register("w"), 1));
  const v1::Sweep paused = CreateReusing(1);
  ASSERT_TRUE(PauseSweep(db_, paused.sweep_id()).ok());
  EXPECT_EQ(ReuseResults(db_, 10)->runs, 1);
  EXPECT_EQ(StateOf(paused.first_run_id()), State::kSucceeded);
}

TEST_F(Reuse, EndsWithARetryWhichTrains) {
  Create(SmallSweep(2));
  const auto worker = Register("w");
  Finish(Claim(worker, 2), /*diverge=*/true);
  const v1::Sweep next = CreateReusing(2);
  ASSERT_EQ(ReuseResults(db_, 10)->runs, 2);
  EXPECT_EQ(RetrySweep(db_, next.sweep_id(), {State::kDiverged}, {}).value(), 1);
  EXPECT_EQ(ClaimableRuns(next.sweep_id()), 1);
  const auto grants = Claim(worker, 1);
  Finish(grants);
  EXPECT_EQ(RunOf(next.first_run_id()).reused_from_run_id(), 0);
  EXPECT_EQ(RunOf(next.first_run_id()).state(), v1::RUN_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace gridsweep::coordinator

#include "coordinator/store/runs.h"
#include "science/config/metric_registry.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

class Results : public StoreTest {
 protected:
  void SetUp() override {
    Create(SmallSweep(2));
    worker_ = Register("w");
    grant_ = Claim(worker_, 1)[0];
  }
  TestWorker worker_;
  Grant grant_;
};

TEST_F(Results, ACompletedRunIsStoredWhole) {
  const auto recorded = CompleteRun(db_, ResultOf(grant_.key));
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_FALSE(*recorded);
  EXPECT_EQ(StateOf(grant_.key.run_id), State::kSucceeded);
  EXPECT_EQ(Count("select count(*) from leases"), 0);
  EXPECT_EQ(Count("select count(*) from units"), kUnits);
  EXPECT_EQ(Query("select grid_score_60 from units where unit = 1"), "0.800000001");
  EXPECT_EQ(Query("select grid_score_60 is null from units where unit = 4"), "t");
  EXPECT_EQ(Query("select pos_err_published from run_results"), "12.25");
  EXPECT_EQ(Query("select outcome from attempts"), "succeeded");
  EXPECT_EQ(Query("select finished_at is not null from dash.runs where state = 'succeeded'"), "t");
  const auto run = GetRun(db_, grant_.key.run_id);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->run().numerics_id(), "test");
  EXPECT_EQ(run->run().science_version(), 1u);
}

TEST_F(Results, CompletingTwiceIsHarmless) {
  const Completion result = ResultOf(grant_.key);
  ASSERT_TRUE(CompleteRun(db_, result).ok());
  const auto before = RowCounts();
  const auto again = CompleteRun(db_, result);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(*again);
  EXPECT_EQ(RowCounts(), before);
}

TEST_F(Results, RollupsEqualARecountOfTheUnits) {
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grant_.key)).ok());
  EXPECT_EQ(Query("select u.n = c.n and u.nulls = c.n - c.scored and u.min = c.min and u.max = "
                  "c.max and u.sum = c.sum from unit_rollups u, (select count(*) as n, "
                  "count(grid_score_60) as scored, min(grid_score_60), max(grid_score_60), "
                  "sum(grid_score_60) from units) c where u.metric = 'grid_score_60'"),
            "t");
  // Bin k counts e[k-1] < x <= e[k].
  EXPECT_EQ(Count("select count(*) from unit_rollups u, generate_series(0, 401) k where u.metric = "
                  "'grid_score_60' and u.bins[k + 1] <> (select count(*) from units where "
                  "grid_score_60 > case when k = 0 then '-infinity' else (k - 201) / 100.0::float8 "
                  "end and grid_score_60 <= case when k = 401 then 'infinity' else (k - 200) / "
                  "100.0::float8 end)"),
            0);
  EXPECT_EQ(Query("select units_above from dash.fractions where threshold = 0.8"), "2");
  EXPECT_EQ(Count("select count(*) from dash.fractions where units_above = (select count(*) from "
                  "units where grid_score_60 > threshold)"),
            6);
  EXPECT_EQ(Count("select count(*) from unit_rollups"), 19);
  EXPECT_EQ(Count("select nulls from unit_rollups where metric = 'grid_score_90'"), kUnits);
}

TEST_F(Results, EveryMetricIsStoredInItsColumn) {
  Completion result = ResultOf(grant_.key);
  double value = 1;
  std::map<std::string, double> sent;
  for (const science::Metric& metric : science::Metrics()) {
    const std::string name(metric.name);
    sent[name] = value += 0.25;
    if (metric.level == science::MetricLevel::kRun) {
      (*result.header.mutable_run_metrics())[name] = value;
    } else {
      result.units[name] = std::vector<double>(kUnits, value);
    }
  }
  result.header.mutable_run_metrics()->erase("decoding_error_cm");
  ASSERT_TRUE(CompleteRun(db_, result).ok());
  for (const science::Metric& metric : science::Metrics()) {
    const std::string name(metric.name);
    const bool of_run = metric.level == science::MetricLevel::kRun;
    EXPECT_EQ(Query(StrCat("select avg(", name, ") from ", of_run ? "run_results" : "units")),
              Query(StrCat("select ", sent[name], "::float8")))
        << name;
  }
}

TEST_F(Results, DashShowsChanceBesideTheFractionsItBelongsTo) {
  Completion result = ResultOf(grant_.key);
  (*result.header.mutable_run_metrics())["chance_fraction_above_080"] = 0.25;
  (*result.header.mutable_run_metrics())["chance_fraction_above_100"] = 0.125;
  (*result.header.mutable_run_metrics())["untrained_fraction_above_080"] = 0.5;
  ASSERT_TRUE(CompleteRun(db_, result).ok());
  EXPECT_EQ(Query("select string_agg(threshold::text, ',') from dash.fractions "
                  "where chance_fraction is not null"),
            "0.8,1.0");
  EXPECT_EQ(Query("select chance_fraction from dash.fractions where threshold = 0.8"), "0.25");
  EXPECT_EQ(Query("select untrained_fraction from dash.fractions where threshold = 0.8"), "0.5");
  EXPECT_EQ(Query("select chance_fraction_above_080 from dash.runs where state = 'succeeded'"),
            "0.25");
}

TEST_F(Results, TheStoredCurveReplacesThePointsOfHeartbeats) {
  v1::CurvePoint point;
  point.set_step(7);
  ASSERT_TRUE(
      RenewLeases(db_, worker_.id, worker_.incarnation, {{grant_.key, {point}}}, absl::Seconds(60))
          .ok());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grant_.key)).ok());
  EXPECT_EQ(Query("select string_agg(step::text, ',') from learning_curves"), "100");
}

TEST_F(Results, ADivergedRunNeedsNoUnitsAndIsNotRetried) {
  Completion result = ResultOf(grant_.key);
  result.header.set_outcome(v1::OUTCOME_DIVERGED);
  result.header.set_unit_count(0);
  result.header.clear_artifacts();
  result.units.clear();
  (*result.header.mutable_run_metrics())["loss"] = INFINITY;
  ASSERT_TRUE(CompleteRun(db_, result).ok());
  EXPECT_EQ(StateOf(grant_.key.run_id), State::kDiverged);
  EXPECT_EQ(Query("select loss is null from run_results"), "t");
}

TEST_F(Results, AResultWithoutItsArtifactOrUnitsIsRefusedAndNothingStored) {
  const Completion good = ResultOf(grant_.key);
  const auto before = RowCounts();
  Completion unknown = good;
  unknown.header.mutable_artifacts(0)->set_sha256(std::string(32, 'x'));
  EXPECT_TRUE(absl::IsFailedPrecondition(CompleteRun(db_, unknown).status()));
  Completion few = good;
  few.header.set_unit_count(kUnits - 1);
  EXPECT_TRUE(absl::IsInvalidArgument(CompleteRun(db_, few).status()));
  Completion short_of = good;
  short_of.header.set_steps(good.header.steps() - 1);
  EXPECT_TRUE(absl::IsInvalidArgument(CompleteRun(db_, short_of).status()));
  Completion beyond = good;
  beyond.header.add_learning_curve()->set_step(good.header.steps() + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(CompleteRun(db_, beyond).status()));
  EXPECT_EQ(RowCounts(), before);
  EXPECT_EQ(StateOf(grant_.key.run_id), State::kLeased);
}

// What cannot be put together never reaches the database.
class Assembly : public ::testing::Test {
 protected:
  Assembly() {
    auto& header = *messages_.emplace_back().mutable_header();
    header.mutable_ref()->set_token(std::string(16, 'x'));
    header.set_outcome(v1::OUTCOME_SUCCEEDED);
    header.set_unit_count(4);
    header.add_artifacts()->set_sha256(std::string(32, 'x'));
    AddBlock(0, 2);
    AddBlock(2, 2);
  }
  void AddBlock(uint32_t first, int n) {
    auto& block = *messages_.emplace_back().mutable_units();
    block.set_first_unit(first);
    auto& column = *block.add_columns();
    column.set_metric("grid_score_60");
    for (int i = 0; i < n; ++i) column.add_value(0.25 * (static_cast<int>(first) + i));
  }
  void ExpectRefused(const std::string& field) {
    const auto assembled = AssembleCompletion(messages_);
    ASSERT_TRUE(absl::IsInvalidArgument(assembled.status())) << assembled.status();
    EXPECT_NE(assembled.status().message().find(field), absl::string_view::npos)
        << assembled.status();
  }
  std::vector<v1::CompleteRunRequest> messages_;
};

TEST_F(Assembly, BlocksJoin) {
  const auto assembled = AssembleCompletion(messages_);
  ASSERT_TRUE(assembled.ok()) << assembled.status();
  EXPECT_EQ(assembled->units.at("grid_score_60"), (std::vector<double>{0, 0.25, 0.5, 0.75}));
}
TEST_F(Assembly, AGapBetweenBlocksIsRefused) {
  messages_[2].mutable_units()->set_first_unit(3);
  ExpectRefused("units[1].first_unit");
}
TEST_F(Assembly, MissingUnitsAreRefused) {
  messages_.pop_back();
  ExpectRefused("2 of 4 units");
}
TEST_F(Assembly, MoreUnitsThanAnnouncedAreRefused) {
  AddBlock(4, 1);
  ExpectRefused("units[2]");
}
TEST_F(Assembly, AnUnknownMetricIsRefused) {
  messages_[1].mutable_units()->mutable_columns(0)->set_metric("gridness");
  ExpectRefused("gridness");
}
TEST_F(Assembly, ARunMetricAmongUnitsIsRefused) {
  messages_[1].mutable_units()->mutable_columns(0)->set_metric("loss");
  ExpectRefused("loss");
}
TEST_F(Assembly, AnUnknownRunMetricIsRefused) {
  (*messages_[0].mutable_header()->mutable_run_metrics())["speed"] = 1;
  ExpectRefused("run_metrics[\"speed\"]");
}
TEST_F(Assembly, ColumnsOfUnequalLengthAreRefused) {
  auto& column = *messages_[1].mutable_units()->add_columns();
  column.set_metric("grid_score_90");
  column.add_value(1);
  ExpectRefused("grid_score_90");
}
TEST_F(Assembly, AnInfiniteScoreIsRefused) {
  messages_[1].mutable_units()->mutable_columns(0)->set_value(0, INFINITY);
  ExpectRefused("infinite");
}
TEST_F(Assembly, ASuccessWithoutArtifactIsRefused) {
  messages_[0].mutable_header()->clear_artifacts();
  ExpectRefused("header.artifacts");
}
TEST_F(Assembly, TextThatPostgresqlCannotKeepIsRefused) {
  messages_[0].mutable_header()->set_numerics_id(std::string("a\0b", 3));
  ExpectRefused("header.numerics_id");
}
TEST_F(Assembly, AStepThatNoColumnHoldsIsRefused) {
  messages_[0].mutable_header()->add_learning_curve()->set_step(uint64_t{1} << 63);
  ExpectRefused("header.learning_curve[0].step");
}
TEST_F(Assembly, SomeOfTheFractionsAreRefused) {
  messages_[0].mutable_header()->add_learning_curve()->add_fraction_above(0.5);
  ExpectRefused("header.learning_curve[0].fraction_above");
}
TEST_F(Assembly, AHeaderComesFirst) {
  messages_.erase(messages_.begin());
  ExpectRefused("header");
}
TEST_F(Assembly, AMetricSentInOneBlockAloneIsNullElsewhere) {
  auto& column = *messages_[2].mutable_units()->add_columns();
  column.set_metric("grid_score_90");
  column.add_value(1);
  column.add_value(2);
  const auto assembled = AssembleCompletion(messages_);
  ASSERT_TRUE(assembled.ok());
  const auto& values = assembled->units.at("grid_score_90");
  EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[1]));
  EXPECT_EQ(values[3], 2);
}

}  // namespace
}  // namespace gridsweep::coordinator

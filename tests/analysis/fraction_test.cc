#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "analysis/interval.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

constexpr v1::Comparison kComparisons[] = {v1::COMPARISON_GT, v1::COMPARISON_GE, v1::COMPARISON_LT,
                                           v1::COMPARISON_LE};

bool Passes(const std::optional<double>& value, v1::Comparison op, double threshold) {
  if (!value) return false;
  switch (op) {
    case v1::COMPARISON_GE:
      return *value >= threshold;
    case v1::COMPARISON_LT:
      return *value < threshold;
    case v1::COMPARISON_LE:
      return *value <= threshold;
    default:
      return *value > threshold;
  }
}

// Runs whose scores lie on edges, next to edges, beyond all bins, and anywhere.
std::vector<RunSpec> ManyRuns() {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> anywhere(-2.2, 2.2);
  const double special[] = {0.8,
                            std::nextafter(0.8, 0),
                            std::nextafter(0.8, 1),
                            0.1 + 0.2,
                            0.3,
                            1.15,
                            0.75,
                            0,
                            -0.0,
                            -2,
                            2,
                            -2.5,
                            2.5,
                            0.85,
                            1.0,
                            0.29,
                            -0.35};
  std::vector<RunSpec> runs;
  for (int r = 0; r < 12; ++r) {
    RunSpec spec{.seed = r, .pos_err = 4.0 + r};
    spec.activation = r % 2 ? "relu" : "tanh";
    for (int i = 0; i < 40 + r; ++i) {
      const auto choice = random() % 4;
      spec.scores.push_back(choice == 0 ? std::nullopt
                            : choice == 1
                                ? std::optional<double>(special[random() % std::size(special)])
                                : std::optional<double>(anywhere(random)));
    }
    runs.push_back(spec);
  }
  runs.push_back({.seed = 100, .state = "diverged", .scores = Values(40)});
  runs.push_back({.seed = 101, .state = "pending", .scores = Values(40)});
  return runs;
}

class FractionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld;
    world_->AddSweep(ManyRuns());
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static v1::FractionResponse Ask(const v1::FractionRequest& request) {
    v1::FractionResponse response;
    const auto status = world_->Fraction(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  // The whole selection's answer, counted unit by unit.
  static void ExpectCounted(const std::string& metric, v1::Comparison op, double threshold,
                            const std::string& source) {
    v1::FractionRequest request;
    request.set_metric(metric);
    request.set_op(op);
    request.set_threshold(threshold);
    const auto response = Ask(request);
    int64_t hits = 0, units = 0, nulls = 0;
    ClusterSums sums;
    for (const StoredRun& run : world_->runs()) {
      if (run.spec.state != "succeeded") continue;
      int64_t x = 0;
      const Values& values = run.units.at(metric);
      for (const auto& value : values) {
        nulls += !value;
        x += Passes(value, op, threshold);
      }
      const auto m = static_cast<int64_t>(values.size());
      hits += x;
      units += m;
      ++sums.runs;
      sums.xx += x * x;
      sums.xm += x * m;
      sums.mm += m * m;
    }
    sums.x = hits;
    sums.m = units;
    ASSERT_EQ(response.rows_size(), 1);
    const auto& row = response.rows(0);
    EXPECT_EQ(row.numerator(), hits) << metric << " op " << op << " " << threshold;
    EXPECT_EQ(row.denominator(), units);
    EXPECT_DOUBLE_EQ(row.fraction(), static_cast<double>(hits) / static_cast<double>(units));
    EXPECT_EQ(row.group().coverage().nulls(), nulls);
    EXPECT_EQ(response.basis().source(), source) << op << " " << threshold;
    EXPECT_TRUE(response.basis().exact());
    const auto interval = ClusterRobustInterval(sums);
    EXPECT_DOUBLE_EQ(row.interval().low(), interval->low());
    EXPECT_DOUBLE_EQ(row.interval().high(), interval->high());
  }

  static ResultWorld* world_;
};
ResultWorld* FractionTest::world_ = nullptr;

TEST_F(FractionTest, PublishedThresholdsComeFromRollupsAlone) {
  for (const double threshold : {0.3, 0.75, 0.8, 0.85, 1.0, 1.15}) {
    ExpectCounted("grid_score_60", v1::COMPARISON_GT, threshold, "rollups");
    ExpectCounted("grid_score_60", v1::COMPARISON_LE, threshold, "rollups");
  }
}

TEST_F(FractionTest, ValuesOnAnEdgeAreCountedFromUnitsWhereTheyDecide) {
  for (const double threshold : {-2.0, -0.35, 0.0, 0.3, 0.8, 1.15, 2.0}) {
    ExpectCounted("grid_score_60", v1::COMPARISON_GE, threshold, "rollups+units");
    ExpectCounted("grid_score_60", v1::COMPARISON_LT, threshold, "rollups+units");
  }
}

TEST_F(FractionTest, ThresholdsBetweenEdgesAreExact) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> anywhere(-2.3, 2.3);
  std::vector<double> thresholds = {
      0.1 + 0.2, std::nextafter(0.8, 0), std::nextafter(0.8, 1), -2.7, -2.2, 2.2, 2.7, 1e-300};
  for (int i = 0; i < 25; ++i) thresholds.push_back(anywhere(random));
  for (const double threshold : thresholds) {
    for (const auto op : kComparisons) {
      ExpectCounted("grid_score_60", op, threshold, "rollups+units");
    }
  }
}

TEST_F(FractionTest, InfiniteThresholdsAreAnswered) {
  for (const auto op : kComparisons) {
    ExpectCounted("grid_score_90", op, INFINITY, "rollups+units");
    ExpectCounted("grid_score_90", op, -INFINITY, "rollups+units");
  }
}

TEST_F(FractionTest, MetricsWithoutBinsComeFromUnits) {
  for (const auto op : kComparisons) {
    ExpectCounted("period_bins", op, 0.9, "units");
    ExpectCounted("spatial_information", op, 1.1, "units");
  }
}

TEST_F(FractionTest, EveryBinnedMetricIsAnsweredFromItsOwnRollup) {
  for (const char* metric : {"grid_score_90", "grid_score_60_n20", "grid_score_90_n32"}) {
    ExpectCounted(metric, v1::COMPARISON_GT, 0.31, "rollups");
    ExpectCounted(metric, v1::COMPARISON_LT, 0.3123, "rollups+units");
  }
}

TEST_F(FractionTest, DefaultsToGridScoreAboveThePublishedThreshold) {
  const auto response = Ask({});
  EXPECT_EQ(response.basis().metric(), "grid_score_60");
  EXPECT_EQ(response.basis().source(), "rollups");
  EXPECT_THAT(response.basis().definition(), HasSubstr("SAC"));
  EXPECT_GT(response.basis().as_of().seconds(), 1'600'000'000);
  v1::FractionRequest same;
  same.set_metric("grid_score_60");
  same.set_op(v1::COMPARISON_GT);
  same.set_threshold(0.8);
  EXPECT_EQ(Ask(same).rows(0).numerator(), response.rows(0).numerator());
}

TEST_F(FractionTest, RunsWithAUnitAreCountedWithWilsonsInterval) {
  for (const auto op : kComparisons) {
    for (const double threshold : {2.0, 2.2, 2.5, -2.5, -2.0}) {
      v1::FractionRequest request;
      request.set_of(v1::POPULATION_RUNS_ANY_UNIT);
      request.set_op(op);
      request.set_threshold(threshold);
      const auto response = Ask(request);
      int64_t hits = 0, runs = 0;
      for (const StoredRun& run : world_->runs()) {
        if (run.spec.state != "succeeded") continue;
        ++runs;
        bool any = false;
        for (const auto& value : run.spec.scores) any = any || Passes(value, op, threshold);
        hits += any;
      }
      EXPECT_EQ(response.rows(0).numerator(), hits);
      EXPECT_EQ(response.rows(0).denominator(), runs);
      EXPECT_EQ(response.basis().source(), "rollups");
      EXPECT_DOUBLE_EQ(response.rows(0).interval().high(), WilsonInterval(hits, runs)->high());
      EXPECT_THAT(response.rows(0).interval().method(), HasSubstr("Wilson"));
    }
  }
}

TEST_F(FractionTest, RunMetricsAreCountedByRun) {
  v1::FractionRequest request;
  request.set_metric("decoding_error_cm");
  request.set_op(v1::COMPARISON_LT);
  request.set_threshold(10);
  const auto response = Ask(request);
  EXPECT_EQ(response.basis().metric(), "pos_err_published");
  EXPECT_EQ(response.basis().source(), "runs");
  EXPECT_EQ(response.rows(0).numerator(), 6);  // errors 4, 5, ..., 15
  EXPECT_EQ(response.rows(0).denominator(), 12);
}

TEST_F(FractionTest, ConditionsOnRunMetricsSelectAmongFinishedRunsAndLeaveCoverageAlone) {
  v1::FractionRequest request;
  request.mutable_where()->set_filter("decoding_error_cm < 10");
  const auto row = Ask(request).rows(0);
  EXPECT_EQ(row.group().coverage().runs_total(), 14);
  EXPECT_EQ(row.group().coverage().finished(), 12);
  EXPECT_EQ(row.group().coverage().selected_runs(), 6);
  int64_t units = 0;
  for (const StoredRun& run : world_->runs()) {
    if (run.spec.state == "succeeded" && run.spec.pos_err < 10) {
      units += static_cast<int64_t>(run.spec.scores.size());
    }
  }
  EXPECT_EQ(row.denominator(), units);
  EXPECT_EQ(row.interval().effective_n(), 6);
}

TEST_F(FractionTest, ResultsOfOtherNumericsCanBeLeftOut) {
  v1::FractionRequest request;
  request.mutable_where()->set_filter("science_version = 1 AND numerics_id = \"w\"");
  EXPECT_EQ(Ask(request).rows(0).group().coverage().selected_runs(), 0);
  request.mutable_where()->set_filter("science_version = 1 AND numerics_id != \"w\"");
  EXPECT_EQ(Ask(request).rows(0).group().coverage().selected_runs(), 12);
}

TEST_F(FractionTest, AnEmptySelectionHasNoFraction) {
  v1::FractionRequest request;
  request.mutable_where()->set_filter("decoding_error_cm < 0");
  const auto row = Ask(request).rows(0);
  EXPECT_EQ(row.denominator(), 0);
  EXPECT_TRUE(std::isnan(row.fraction()));
  EXPECT_FALSE(row.has_interval());
}

TEST_F(FractionTest, RefusesWhatCannotBeAsked) {
  const auto error_of = [](const v1::FractionRequest& request) {
    v1::FractionResponse response;
    const auto status = world_->Fraction(request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::FractionRequest request;
  request.set_metric("grid_score60");
  EXPECT_THAT(error_of(request), AllOf(HasSubstr("metric:"), HasSubstr("\"grid_score_60\"")));
  request.set_metric("loss");
  request.set_of(v1::POPULATION_UNITS);
  EXPECT_THAT(error_of(request), HasSubstr("loss is a metric of runs"));
  request.Clear();
  request.set_of(v1::POPULATION_RUNS);
  EXPECT_THAT(error_of(request), HasSubstr("is a metric of units"));
  request.Clear();
  request.set_threshold(NAN);
  EXPECT_THAT(error_of(request), HasSubstr("threshold"));
}

TEST_F(FractionTest, NamesASweepThatDoesNotExist) {
  v1::FractionRequest request;
  request.mutable_where()->add_sweep_ids(4711);
  v1::FractionResponse response;
  const auto status = world_->Fraction(request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("4711"));
}

TEST(FractionFault, AFinishedRunWithoutRollupIsDataLossNotASmallerDenominator) {
  ResultWorld world;
  world.AddSweep({{.scores = {0.1, 0.9}}, {.seed = 1, .scores = {0.1}}});
  world.Execute("delete from unit_rollups where run_id = 2 and metric = 'grid_score_60'");
  v1::FractionResponse response;
  const auto status = world.Fraction({}, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
}

}  // namespace
}  // namespace gridsweep::analysis

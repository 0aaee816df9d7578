#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

// Linear interpolation between order statistics.
double Quantile(std::vector<double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

class SummarizeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld;
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal(0.3, 0.4);
    std::vector<RunSpec> runs;
    for (int r = 0; r < 6; ++r) {
      RunSpec spec{.activation = r % 2 ? "relu" : "tanh", .seed = r, .pos_err = 3.0 * r};
      for (int i = 0; i < 30; ++i) {
        spec.scores.push_back(i % 7 == 0 ? std::nullopt : std::optional(normal(random)));
      }
      runs.push_back(spec);
    }
    runs.push_back({.activation = "linear", .seed = 9, .state = "pending", .scores = {0.1}});
    world_->AddSweep(runs);
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }
  static v1::SummarizeResponse Ask(const v1::SummarizeRequest& request) {
    grpc::ClientContext context;
    v1::SummarizeResponse response;
    const auto status = world_->stub().Summarize(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static ResultWorld* world_;
};
ResultWorld* SummarizeTest::world_ = nullptr;

TEST_F(SummarizeTest, UnitsAgreeWithBruteForceByGroup) {
  v1::SummarizeRequest request;
  request.mutable_where()->add_group_by("activation");
  const auto response = Ask(request);
  EXPECT_EQ(response.basis().source(), "rollups+units");
  ASSERT_EQ(response.rows_size(), 3);  // linear, relu, tanh
  for (int g = 1; g < 3; ++g) {
    const auto& row = response.rows(g);
    const std::string activation = row.group().key(0).text();
    std::vector<double> values;
    double sum = 0;
    for (const StoredRun& run : world_->runs()) {
      if (run.spec.activation != activation) continue;
      for (const auto& value : run.spec.scores) {
        if (value) values.push_back(*value);
      }
    }
    std::ranges::sort(values);
    for (const double value : values) sum += value;
    EXPECT_EQ(row.count(), static_cast<int64_t>(values.size()));
    EXPECT_EQ(row.group().coverage().units(), 90);
    EXPECT_EQ(row.group().coverage().nulls(), 15);
    EXPECT_NEAR(row.mean(), sum / static_cast<double>(values.size()), 1e-12);
    EXPECT_EQ(row.min(), values.front());
    EXPECT_EQ(row.max(), values.back());
    ASSERT_EQ(row.quantiles_size(), 5);
    for (int q = 0; q < 5; ++q) {
      EXPECT_NEAR(row.quantiles(q), Quantile(values, response.quantiles(q)), 1e-14);
    }
  }
}

TEST_F(SummarizeTest, AGroupWithoutValuesHasNoMean) {
  v1::SummarizeRequest request;
  request.mutable_where()->set_filter("activation = linear");
  const auto response = Ask(request);
  EXPECT_EQ(response.rows(0).count(), 0);
  EXPECT_FALSE(response.rows(0).has_mean());
  EXPECT_EQ(response.rows(0).quantiles_size(), 0);
}

TEST_F(SummarizeTest, RunMetricsAreSummedOverRuns) {
  v1::SummarizeRequest request;
  request.set_metric("decoding_error_cm");
  request.add_quantiles(0.5);
  request.add_quantiles(1);
  const auto response = Ask(request);
  EXPECT_EQ(response.basis().source(), "runs");
  EXPECT_EQ(response.rows(0).count(), 6);
  EXPECT_DOUBLE_EQ(response.rows(0).mean(), 7.5);
  EXPECT_EQ(response.rows(0).min(), 0);
  EXPECT_DOUBLE_EQ(response.rows(0).quantiles(0), 7.5);
  EXPECT_EQ(response.rows(0).quantiles(1), 15);
}

TEST_F(SummarizeTest, RefusesQuantilesOutsideZeroToOne) {
  grpc::ClientContext context;
  v1::SummarizeRequest request;
  v1::SummarizeResponse response;
  request.add_quantiles(0.5);
  request.add_quantiles(50);
  const auto status = world_->stub().Summarize(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("quantiles[1]: 50"));
}

TEST_F(SummarizeTest, RefusesMoreQuantilesThanAnyoneReads) {
  grpc::ClientContext context;
  v1::SummarizeRequest request;
  v1::SummarizeResponse response;
  for (int i = 0; i <= 1000; ++i) request.add_quantiles(0.5);
  const auto status = world_->stub().Summarize(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("1001 are more than 1000"));
}

TEST_F(SummarizeTest, EveryMetricIsListedAndCanBeSummarized) {
  grpc::ClientContext context;
  v1::ListMetricsResponse metrics;
  ASSERT_TRUE(world_->stub().ListMetrics(&context, {}, &metrics).ok());
  EXPECT_GE(metrics.metrics_size(), 20);
  for (const auto& metric : metrics.metrics()) {
    v1::SummarizeRequest request;
    request.set_metric(metric.name());
    const auto response = Ask(request);
    EXPECT_EQ(response.basis().metric(), metric.name());
    EXPECT_EQ(response.basis().definition(), metric.definition());
  }
}

}  // namespace
}  // namespace gridsweep::analysis

#include "science/config/metric_registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace gridsweep::science {
namespace {

// The edges as decimal text reads them: "-2.00", "-1.99", ... "2.00".
std::vector<double> EdgesFromText() {
  std::vector<double> edges;
  for (int k = -200; k <= 200; ++k) {
    char text[16];
    std::snprintf(text, sizeof(text), "%s%d.%02d", k < 0 ? "-" : "", std::abs(k) / 100,
                  std::abs(k) % 100);
    edges.push_back(std::strtod(text, nullptr));
  }
  return edges;
}

TEST(ScoreEdges, AreTheDoublesNearestToHundredths) {
  const auto expected = EdgesFromText();
  ASSERT_EQ(expected.size(), static_cast<size_t>(kScoreEdges));
  for (int k = 0; k < kScoreEdges; ++k) EXPECT_EQ(ScoreEdges()[k], expected[k]) << k;
}

TEST(ScoreEdges, PublishedThresholdsAreAmongThem) {
  for (double threshold : kPublishedThresholds) {
    EXPECT_EQ(std::ranges::count(ScoreEdges(), threshold), 1) << threshold;
  }
}

TEST(ScoreBin, IsTheOneThatACountOfEdgesGivesAtEveryEdgeAndBesideIt) {
  const auto edges = EdgesFromText();
  const auto expect = [&](double score) {
    // Bin k holds edges[k-1] < score <= edges[k].
    int below = 0;
    for (double edge : edges) below += edge < score;
    EXPECT_EQ(ScoreBin(score), below) << score;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  for (double edge : edges) {
    expect(edge);
    expect(std::nextafter(edge, infinity));
    expect(std::nextafter(edge, -infinity));
    expect(edge + 0.005);
  }
  for (double score : {-1e300, -3.0, 3.0, 1e300, 5e-324, -5e-324}) expect(score);
}

TEST(ScoreBin, AScoreAtAThresholdIsNotAboveIt) {
  for (double threshold : kPublishedThresholds) {
    const int bin = ScoreBin(threshold);
    EXPECT_EQ(ScoreBin(std::nextafter(threshold, 9)), bin + 1);
    EXPECT_EQ(ScoreEdges()[bin], threshold);
  }
  EXPECT_EQ(ScoreBin(-2), 0);
  EXPECT_EQ(ScoreBin(std::nextafter(2.0, 3.0)), kScoreBins - 1);
}

TEST(Metrics, HaveColumnNamesOfTheirOwnUnitsFirst) {
  std::set<std::string_view> names;
  bool run_level = false;
  for (const Metric& metric : Metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_EQ(metric.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"),
              std::string_view::npos)
        << metric.name;
    EXPECT_FALSE(metric.definition.empty()) << metric.name;
    EXPECT_FALSE(metric.unit.empty()) << metric.name;
    if (metric.level == MetricLevel::kRun) run_level = true;
    EXPECT_EQ(metric.level == MetricLevel::kRun, run_level) << metric.name;
    EXPECT_EQ(FindMetric(metric.name), &metric);
  }
  EXPECT_EQ(FindMetric("grid_score_45"), nullptr);
  EXPECT_EQ(FindMetric(""), nullptr);
}

TEST(Metrics, ScoresAreBinnedAndTheDecodingErrorHasItsAlias) {
  for (const Metric& metric : Metrics()) {
    EXPECT_TRUE(metric.binned || !metric.name.starts_with("grid_score_")) << metric.name;
  }
  ASSERT_NE(FindMetric("decoding_error_cm"), nullptr);
  EXPECT_EQ(FindMetric("decoding_error_cm")->name, "pos_err_published");
  EXPECT_EQ(FindMetric("decoding_error_cm")->unit, "cm");
}

}  // namespace
}  // namespace gridsweep::science

#include "analysis/compare/correlation.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace gridsweep::analysis {
namespace {

using Pairs = std::vector<std::pair<double, double>>;

// scipy 1.10: pearsonr and its confidence_interval, spearmanr; Bonett and Wright's interval from
// its formula.
TEST(Correlation, AgreesWithScipy) {
  const auto ties = CorrelationOf(Pairs{{1, 4}, {2, 1}, {2, 3}, {3, 3}, {5, 8}, {5, 6}, {9, 6}});
  EXPECT_EQ(ties.n(), 7);
  EXPECT_NEAR(ties.pearson(), 0.6538816905594157, 1e-14);
  EXPECT_NEAR(ties.pearson_interval().low(), -0.19538721515238427, 1e-12);
  EXPECT_NEAR(ties.pearson_interval().high(), 0.9427295062210884, 1e-12);
  EXPECT_EQ(ties.pearson_interval().effective_n(), 7);
  EXPECT_NEAR(ties.spearman(), 2.0 / 3, 1e-14);
  EXPECT_NEAR(ties.spearman_interval().low(), -0.27169397, 1e-8);
  EXPECT_NEAR(ties.spearman_interval().high(), 0.95520963, 1e-8);

  // The relu networks as read off the published figure.
  const auto poster =
      CorrelationOf(Pairs{{3.5, 0.68}, {4.9, 0.78}, {8.8, 0.79}, {9.4, 0.76}, {16.6, 0.81}});
  EXPECT_NEAR(poster.pearson(), 0.7192497161377859, 1e-14);
  EXPECT_NEAR(poster.pearson_interval().low(), -0.4460954338091733, 1e-12);
  EXPECT_NEAR(poster.spearman(), 0.7, 1e-14);
}

TEST(Correlation, IsAbsentWithTooFewPairsOrNothingThatVaries) {
  const auto few = CorrelationOf(Pairs{{1, 2}, {2, 3}, {3, 5}});
  EXPECT_EQ(few.n(), 3);
  EXPECT_FALSE(few.has_pearson() || few.has_spearman());
  EXPECT_FALSE(few.has_pearson_interval() || few.has_spearman_interval());
  const auto flat = CorrelationOf(Pairs{{0.1, 2}, {0.1, 3}, {0.1, 5}, {0.1, 9}});
  EXPECT_FALSE(flat.has_pearson() || flat.has_spearman());
}

TEST(Correlation, HasNoIntervalWhereItIsPerfect) {
  const auto convex = CorrelationOf(Pairs{{1, 1}, {2, 4}, {3, 9}, {4, 16}});
  EXPECT_TRUE(convex.has_pearson_interval());
  EXPECT_DOUBLE_EQ(convex.spearman(), 1);
  EXPECT_FALSE(convex.has_spearman_interval());
}

}  // namespace
}  // namespace gridsweep::analysis

#include "analysis/interval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace gridsweep::analysis {
namespace {

ClusterSums Sums(const std::vector<std::pair<int64_t, int64_t>>& runs) {
  ClusterSums sums;
  for (const auto& [x, m] : runs) {
    ++sums.runs;
    sums.x += x;
    sums.m += m;
    sums.xx += x * x;
    sums.xm += x * m;
    sums.mm += m * m;
  }
  return sums;
}

// Expected numbers of this file: SciPy 1.10.1, stats.t.ppf,
// stats.binomtest(x, n).proportion_ci(0.95, "wilson"), and the ratio
// estimator's formula in NumPy.
TEST(StudentTQuantile, AgreesWithSciPy) {
  // SciPy's own error is about 1e-10 here; with one degree of freedom the
  // quantile is a tangent.
  EXPECT_NEAR(StudentTQuantile(0.975, 1), std::tan(std::numbers::pi * 0.475), 1e-12);
  EXPECT_NEAR(StudentTQuantile(0.975, 2), 4.302652729911275, 1e-9);
  EXPECT_NEAR(StudentTQuantile(0.975, 9), 2.2621571627409915, 1e-9);
  EXPECT_NEAR(StudentTQuantile(0.975, 99), 1.9842169515086827, 1e-9);
  EXPECT_NEAR(StudentTQuantile(0.975, 1e6), 1.9599663568141066, 1e-8);
  EXPECT_NEAR(StudentTQuantile(0.9, 5), 1.4758840487820273, 1e-9);
  EXPECT_NEAR(StudentTQuantile(0.025, 4), -2.7764451051977996, 1e-9);
}

TEST(WilsonInterval, AgreesWithSciPy) {
  const auto check = [](int64_t hits, int64_t n, double low, double high) {
    const auto interval = WilsonInterval(hits, n);
    ASSERT_TRUE(interval);
    EXPECT_NEAR(interval->low(), low, 1e-12);
    EXPECT_NEAR(interval->high(), high, 1e-12);
    EXPECT_EQ(interval->effective_n(), n);
  };
  check(0, 10, 0, 0.27753279986288926);
  check(3, 10, 0.10779126740630102, 0.6032218525388546);
  check(10, 10, 0.7224672001371109, 1);
  check(14, 120, 0.07078117807830048, 0.18633351617603883);
  check(1, 1, 0.20654931437723745, 1);
  EXPECT_FALSE(WilsonInterval(0, 0));
}

TEST(ClusterRobustInterval, AgreesWithTheRatioEstimatorsFormula) {
  auto interval = ClusterRobustInterval(Sums({{3, 100}, {0, 100}, {12, 100}, {7, 100}, {1, 100}}));
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low(), 0.011811647409859191, 1e-10);
  EXPECT_NEAR(interval->high(), 0.1628386018950141, 1e-10);
  EXPECT_EQ(interval->effective_n(), 5);
  EXPECT_THAT(interval->method(), ::testing::HasSubstr("cluster-robust over runs, 95%"));

  interval = ClusterRobustInterval(Sums({{30, 1024}, {5, 512}, {400, 4096}}));
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low(), 0.021206597340498685, 1e-10);
  EXPECT_NEAR(interval->high(), 0.24435062357704954, 1e-10);
}

TEST(ClusterRobustInterval, NeedsTwoRuns) {
  EXPECT_FALSE(ClusterRobustInterval(Sums({{3, 100}})));
  EXPECT_FALSE(ClusterRobustInterval(Sums({})));
}

TEST(ClusterRobustInterval, FallsBackToRunsWhenNoUnitPasses) {
  const auto interval =
      ClusterRobustInterval(Sums(std::vector(10, std::pair<int64_t, int64_t>(0, 1024))));
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->low(), 0);
  EXPECT_NEAR(interval->high(), 0.27753279986288926, 1e-12);
  EXPECT_THAT(interval->method(), ::testing::HasSubstr("no unit passes"));
}

TEST(ClusterRobustInterval, IsExactForManyLargeRuns) {
  // Equal fractions in all runs: no variance, however large the sums are.
  const auto interval =
      ClusterRobustInterval(Sums(std::vector(50'000, std::pair<int64_t, int64_t>(1024, 4096))));
  ASSERT_TRUE(interval);
  EXPECT_DOUBLE_EQ(interval->low(), 0.25);
  EXPECT_DOUBLE_EQ(interval->high(), 0.25);
}

// scipy 1.10: sem and t.interval(0.95, 3, mean, sem).
TEST(MeanOverRuns, HasTheStandardErrorAndStudentsInterval) {
  const auto mean = MeanOverRunsOf(std::vector<double>{1, 2, 4, 9});
  EXPECT_EQ(mean.n(), 4);
  EXPECT_DOUBLE_EQ(mean.mean(), 4);
  EXPECT_NEAR(mean.sem(), 1.7795130420052185, 1e-14);
  EXPECT_NEAR(mean.interval().low(), -1.6632047057346666, 1e-10);
  EXPECT_NEAR(mean.interval().high(), 9.663204705734667, 1e-10);
  const auto single = MeanOverRunsOf(std::vector<double>{3});
  EXPECT_EQ(single.mean(), 3);
  EXPECT_FALSE(single.has_sem() || single.has_interval());
  EXPECT_FALSE(MeanOverRunsOf(std::vector<double>()).has_mean());
}

// How many values to leave out at each end: scipy 1.10, binom.cdf(k, n, 0.5) <= 0.025.
TEST(MedianInterval, LiesBetweenTheOrderStatisticsOfTheSignTest) {
  const std::pair<int, int> kLeftOut[] = {{6, 1}, {8, 1}, {9, 2}, {20, 6}, {100, 40}, {1000, 469}};
  for (const auto& [n, left_out] : kLeftOut) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) values.push_back((i * 7919) % n);  // 0..n-1 in some order
    const auto interval = MedianInterval(values);
    ASSERT_TRUE(interval) << n;
    EXPECT_EQ(interval->low(), left_out - 1) << n;
    EXPECT_EQ(interval->high(), n - left_out) << n;
  }
  EXPECT_FALSE(MedianInterval(std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_FALSE(MedianInterval(std::vector<double>()));
}

}  // namespace
}  // namespace gridsweep::analysis

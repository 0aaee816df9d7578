// Each kind of distribution by itself: its draws against closed forms.
#include "sweepspec/distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace gridsweep::sweepspec {
namespace {

using Kind = Distribution::Kind;
using ::testing::ElementsAre;

// u = 0.001, 0.002, ... 0.999.
std::vector<double> Grades() {
  std::vector<double> grades;
  for (int i = 1; i < 1000; ++i) grades.push_back(i / 1000.0);
  return grades;
}

double NormalProbability(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// The distribution function of beta(a, b) at x, by Simpson's rule.
double BetaProbability(double a, double b, double x) {
  const auto density = [&](double t) { return std::pow(t, a - 1) * std::pow(1 - t, b - 1); };
  constexpr int kSteps = 20'000;
  double sum = density(0) + density(x);
  for (int i = 1; i < kSteps; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(x * i / kSteps);
  return sum * x / (3 * kSteps) * std::tgamma(a + b) / (std::tgamma(a) * std::tgamma(b));
}

TEST(Quantile, UniformIsLinear) {
  const Distribution d{.kind = Kind::kUniform, .min = -2, .max = 6};
  for (double u : Grades()) EXPECT_DOUBLE_EQ(Quantile(d, u), -2 + 8 * u);
}

TEST(Quantile, IntUniformHasEachWholeNumberEquallyOftenBothEndsIncluded) {
  const Distribution d{.kind = Kind::kIntUniform, .min = -1, .max = 3};
  std::map<double, int> counts;
  for (int i = 0; i < 5000; ++i) ++counts[Quantile(d, (i + 0.5) / 5000)];
  EXPECT_THAT(counts, ElementsAre(std::pair(-1, 1000), std::pair(0, 1000), std::pair(1, 1000),
                                  std::pair(2, 1000), std::pair(3, 1000)));
  EXPECT_EQ(Quantile(d, 0x1p-54), -1);
  EXPECT_EQ(Quantile(d, 1 - 0x1p-53), 3);
}

TEST(Quantile, NormalInvertsItsDistributionFunction) {
  const Distribution d{.kind = Kind::kNormal, .mu = 3, .sigma = 0.5};
  for (double u : Grades()) EXPECT_NEAR(NormalProbability((Quantile(d, u) - 3) / 0.5), u, 1e-14);
  EXPECT_NEAR(Quantile(d, 0.5), 3, 1e-15);
}

TEST(Quantile, TheLogarithmOfLogNormalIsNormal) {
  const Distribution d{.kind = Kind::kLogNormal, .mu = -2, .sigma = 1.5};
  for (double u : Grades()) {
    EXPECT_NEAR(NormalProbability((std::log(Quantile(d, u)) + 2) / 1.5), u, 1e-13);
  }
}

TEST(Quantile, BetaInvertsItsDistributionFunction) {
  for (const auto& [a, b] : {std::pair(1.0, 1.0), {2.0, 1.0}, {1.0, 3.0}, {2.0, 5.0}, {3.5, 2.5}}) {
    const Distribution d{.kind = Kind::kBeta, .a = a, .b = b};
    for (double u : {0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999}) {
      const double x = Quantile(d, u);
      EXPECT_GT(x, 0);
      EXPECT_LT(x, 1);
      EXPECT_NEAR(BetaProbability(a, b, x), u, 1e-7) << a << " " << b;
    }
  }
  // The default is uniform.
  for (double u : Grades()) EXPECT_NEAR(Quantile({.kind = Kind::kBeta}, u), u, 1e-14);
}

TEST(Quantile, LogUniformValuesIsLinearInTheLogarithm) {
  const Distribution d{.kind = Kind::kLogUniformValues, .min = 1e-5, .max = 1e-1};
  for (double u : Grades()) EXPECT_NEAR(std::log10(Quantile(d, u)), -5 + 4 * u, 1e-13);
  EXPECT_GE(Quantile(d, 0x1p-54), 1e-5);
  EXPECT_LE(Quantile(d, 1 - 0x1p-53), 1e-1);
}

TEST(Quantile, InvLogUniformValuesIsLinearInTheLogarithmOfTheInverse) {
  const Distribution d{.kind = Kind::kInvLogUniformValues, .min = 1e-5, .max = 1e-1};
  // log10(1/x) from log10(1/max) = 1 to log10(1/min) = 5.
  for (double u : Grades()) EXPECT_NEAR(std::log10(1 / Quantile(d, u)), 1 + 4 * u, 1e-13);
}

TEST(Quantile, QuantisedDrawsAreTheNearestMultiplesOfQ) {
  const std::pair<Kind, Kind> pairs[] = {{Kind::kQUniform, Kind::kUniform},
                                         {Kind::kQNormal, Kind::kNormal},
                                         {Kind::kQLogNormal, Kind::kLogNormal},
                                         {Kind::kQBeta, Kind::kBeta},
                                         {Kind::kQLogUniformValues, Kind::kLogUniformValues}};
  for (const auto& [quantised, plain] : pairs) {
    for (double q : {0.1, 0.25, 1.0, 3.0}) {
      Distribution d{
          .kind = quantised, .min = 0.3, .max = 9.7, .mu = 0.5, .sigma = 2, .a = 2, .b = 3, .q = q};
      Distribution exact = d;
      exact.kind = plain;
      for (double u : Grades()) {
        const double value = Quantile(d, u), multiples = value / q;
        ASSERT_NEAR(multiples, std::round(multiples), 1e-9) << q;
        ASSERT_LE(std::abs(value - Quantile(exact, u)), q / 2 * (1 + 1e-9)) << q;
        // No rounding noise: 0.3, never 0.30000000000000004.
        ASSERT_EQ(value, std::round(value * 100) / 100) << q;
      }
    }
  }
}

TEST(Quantile, GrowsWithUAndIsNeverNaN) {
  for (const DistributionKind& kind : DistributionKinds()) {
    const Distribution d{
        .kind = kind.kind, .min = 1, .max = 50, .mu = 1, .sigma = 2, .a = 0.5, .b = 0.5, .q = 2};
    const bool falls = kind.kind == Kind::kInvLogUniformValues;
    double before = falls ? 1e300 : -1e300;
    for (double u : {0x1p-54, 1e-9, 0.01, 0.2, 0.5, 0.7, 0.99, 1 - 1e-9, 1 - 0x1p-53}) {
      const double value = Quantile(d, u);
      ASSERT_TRUE(std::isfinite(value)) << kind.name;
      EXPECT_TRUE(falls ? value <= before : value >= before) << kind.name << " at " << u;
      before = value;
    }
  }
}

TEST(GridValues, IntUniformIncludesBothEnds) {
  EXPECT_THAT(*GridValues({.kind = Kind::kIntUniform, .min = -1, .max = 2}, 100),
              ElementsAre(-1, 0, 1, 2));
  // Beyond 15 digits too.
  EXPECT_THAT(
      *GridValues({.kind = Kind::kIntUniform, .min = 9007199254740989, .max = 9007199254740991},
                  100),
      ElementsAre(9007199254740989, 9007199254740990, 9007199254740991));
}

TEST(GridValues, QUniformGoesFromMinByQAndLeavesMaxOut) {
  const auto values = [](double min, double max, double q) {
    return *GridValues({.kind = Kind::kQUniform, .min = min, .max = max, .q = q}, 100);
  };
  EXPECT_THAT(values(0, 4, 1), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(0, 3.5, 1), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(0.1, 0.3, 0.1), ElementsAre(0.1, 0.2));
  EXPECT_THAT(values(0.1, 0.4, 0.1), ElementsAre(0.1, 0.2, 0.3));
  EXPECT_THAT(values(1, 2, 5), ElementsAre(1));
}

TEST(GridValues, OtherKindsHaveNoList) {
  for (const DistributionKind& kind : DistributionKinds()) {
    if (kind.kind == Kind::kIntUniform || kind.kind == Kind::kQUniform) continue;
    EXPECT_EQ(GridValues({.kind = kind.kind, .min = 1, .max = 2}, 100), std::nullopt) << kind.name;
  }
}

TEST(GridValues, StopsOneBeyondTheLimit) {
  EXPECT_EQ(GridValues({.kind = Kind::kIntUniform, .min = 0, .max = 9e15}, 1000)->size(), 1001u);
  EXPECT_EQ(GridValues({.kind = Kind::kQUniform, .min = 0, .max = 1, .q = 1e-300}, 1000)->size(),
            1001u);
}

// From FNV-1a and SplitMix64 as published, in Python: a sweep's seed gives the
// same runs for ever.
TEST(UniformDraw, IsTheHashOfSeedNameAndIndex) {
  EXPECT_EQ(UniformDraw(0, "learning_rate", 0), 0.5313968616465032);
  EXPECT_EQ(UniformDraw(0, "learning_rate", 1), 0.2954672241472243);
  EXPECT_EQ(UniformDraw(1, "learning_rate", 0), 0.6946942629896711);
  EXPECT_EQ(UniformDraw(0, "Ng", 0), 0.9308199239381716);
  EXPECT_EQ(UniformDraw(9007199254740991, "place_cell_rf", 123456789), 0.35680418209363723);
}

TEST(UniformDraw, IsUniformInEachStream) {
  constexpr int kDraws = 100'000;
  for (uint64_t seed : {0u, 1u, 12345u}) {
    for (const char* name : {"Ng", "learning_rate"}) {
      std::vector<double> draws;
      for (int i = 0; i < kDraws; ++i) draws.push_back(UniformDraw(seed, name, i));
      std::sort(draws.begin(), draws.end());
      EXPECT_GT(draws.front(), 0);
      EXPECT_LT(draws.back(), 1);
      // Kolmogorov and Smirnov's distance: 1.95/sqrt(n) is passed once in 1,000 streams.
      double distance = 0;
      for (int i = 0; i < kDraws; ++i) {
        distance = std::max(
            {distance, draws[i] - i / double{kDraws}, (i + 1) / double{kDraws} - draws[i]});
      }
      EXPECT_LT(distance, 1.95 / std::sqrt(double{kDraws})) << name << seed;
    }
  }
}

TEST(UniformDraw, StreamsOfDifferentNamesSeedsAndIndicesAreUnrelated) {
  constexpr int kDraws = 100'000;
  const auto correlation = [](auto&& first, auto&& second) {
    double sum = 0;
    for (int i = 0; i < kDraws; ++i) sum += (first(i) - 0.5) * (second(i) - 0.5);
    return 12 * sum / kDraws;
  };
  const auto base = [](int i) { return UniformDraw(7, "Ng", i); };
  // Five standard errors of 1/sqrt(n).
  const double bound = 5 / std::sqrt(double{kDraws});
  EXPECT_LT(std::abs(correlation(base, [](int i) { return UniformDraw(7, "Np", i); })), bound);
  EXPECT_LT(std::abs(correlation(base, [](int i) { return UniformDraw(8, "Ng", i); })), bound);
  EXPECT_LT(std::abs(correlation(base, [](int i) { return UniformDraw(7, "Ng", i + 1); })), bound);
  std::set<double> distinct;
  for (int i = 0; i < kDraws; ++i) distinct.insert(base(i));
  EXPECT_EQ(distinct.size(), static_cast<size_t>(kDraws));
}

}  // namespace
}  // namespace gridsweep::sweepspec

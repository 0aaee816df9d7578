// What a grid score must be, whatever the map.
#include "science/scoring/grid_scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <thread>
#include <vector>

#include "tests/science/scoring/naive_scorer.h"

namespace gridsweep::scoring {
namespace {

using std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Ratemap = std::vector<double>;

// Rates are float32 at their source.
template <typename F>
Ratemap MapOf(int n, F rate) {
  Ratemap map;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) map.push_back(static_cast<float>(rate(i, j)));
  return map;
}

Ratemap Hexagonal(int n, double spacing, double angle) {
  return MapOf(n, [=](int i, int j) {
    double sum = 0;
    for (int k = 0; k < 3; ++k) {
      const double direction = angle + k * pi / 3;
      sum += std::cos(4 * pi / (std::sqrt(3.0) * spacing) *
                      (i * std::cos(direction) + j * std::sin(direction)));
    }
    return std::max(0.0, sum);
  });
}

Ratemap Square(int n, double spacing, double angle) {
  return MapOf(n, [=](int i, int j) {
    const double x = i * std::cos(angle) + j * std::sin(angle);
    const double y = j * std::cos(angle) - i * std::sin(angle);
    return std::max(0.0, std::cos(2 * pi * x / spacing) + std::cos(2 * pi * y / spacing));
  });
}

Ratemap Place(int n, double x, double y, double sigma) {
  return MapOf(n, [=](int i, int j) {
    return std::exp(-((i - x) * (i - x) + (j - y) * (j - y)) / (2 * sigma * sigma));
  });
}

Ratemap Noise(int n, int seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  return MapOf(n, [&](int, int) { return normal(random); });
}

Ratemap WithHoles(Ratemap map, double share, int seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution hole(share);
  for (double& rate : map)
    if (hole(random)) rate = kNaN;
  return map;
}

void ExpectNearNaive(const Ratemap& map, int n, bool masked, double tolerance) {
  const GridScores scores = GridScorer(n, {.mask_unvisited = masked}).Score(map);
  const NaiveScores naive = NaiveScore(map, n, masked);
  EXPECT_THAT(scores.mask_60, testing::Pointwise(testing::DoubleNear(tolerance), naive.mask_60));
  EXPECT_THAT(scores.mask_90, testing::Pointwise(testing::DoubleNear(tolerance), naive.mask_90));
  EXPECT_NEAR(scores.grid_score_60_means, *std::ranges::max_element(naive.mask_60_means),
              tolerance);
}

TEST(GridScorer, MasksHoldThePublishedNumbersOfLags) {
  const auto areas = [](int n) {
    const GridScorer scorer(n);
    std::vector<int> counted;
    for (int m = 0; m < kMasks; ++m) counted.push_back(scorer.MaskArea(m));
    return counted;
  };
  using testing::ElementsAre;
  EXPECT_THAT(areas(20), ElementsAre(148, 228, 308, 392, 504, 624, 748, 900, 1044, 1204));
  EXPECT_THAT(areas(32), ElementsAre(380, 568, 788, 1024, 1304, 1612, 1932, 2288, 2672, 3076));
  EXPECT_THAT(areas(44), ElementsAre(732, 1080, 1500, 1944, 2468, 3040, 3652, 4336, 5056, 5832));
}

TEST(GridScorer, AgreesWithTheDefinitionOnNarrowPlaceFields) {
  for (const double sigma : {0.6, 1.0, 1.7, 3.0, 6.0}) {
    SCOPED_TRACE(sigma);
    ExpectNearNaive(Place(20, 6.3, 12.8, sigma), 20, false, 1e-9);
    ExpectNearNaive(Place(44, 11.2, 29.4, sigma), 44, false, 1e-9);
    ExpectNearNaive(Place(20, 0.4, 18.9, sigma), 20, false, 1e-9);
  }
}

TEST(GridScorer, AgreesWithTheDefinitionOnMapsOfOtherKindsAndSizes) {
  for (const int n : {4, 7, 20, 33}) {
    SCOPED_TRACE(n);
    ExpectNearNaive(Hexagonal(n, n / 3.0, 0.2), n, false, 1e-9);
    ExpectNearNaive(Noise(n, 1), n, false, 1e-9);
    ExpectNearNaive(WithHoles(Noise(n, 2), 0.2, 3), n, false, 1e-9);
  }
}

TEST(GridScorer, CanLeaveUnvisitedBinsOut) {
  for (const int n : {9, 20}) {
    SCOPED_TRACE(n);
    ExpectNearNaive(WithHoles(Noise(n, 4), 0.2, 5), n, true, 1e-9);
    ExpectNearNaive(WithHoles(Hexagonal(n, n / 3.0, 0.4), 0.1, 6), n, true, 1e-9);
  }
  const Ratemap holes = WithHoles(Hexagonal(20, 7, 0.1), 0.2, 7);
  EXPECT_NE(GridScorer(20).Score(holes).grid_score_60,
            GridScorer(20, {.mask_unvisited = true}).Score(holes).grid_score_60);
}

TEST(GridScorer, MaskingChangesNothingWhereAllBinsWereVisited) {
  const Ratemap map = Hexagonal(20, 7, 0.1);
  EXPECT_EQ(GridScorer(20).Score(map).mask_60,
            GridScorer(20, {.mask_unvisited = true}).Score(map).mask_60);
}

TEST(GridScorer, UnvisitedBinsCountAsSilent) {
  Ratemap holes = WithHoles(Hexagonal(20, 7, 0.1), 0.2, 7), zeros = holes;
  for (double& rate : zeros)
    if (std::isnan(rate)) rate = 0;
  EXPECT_EQ(GridScorer(20).Score(holes).mask_60, GridScorer(20).Score(zeros).mask_60);
}

TEST(GridScorer, TellsHexagonsFromSquares) {
  const GridScorer scorer(44);
  const GridScores hexagons = scorer.Score(Hexagonal(44, 12, 0.15));
  const GridScores squares = scorer.Score(Square(44, 12, 0.15));
  EXPECT_GT(hexagons.grid_score_60, 1.15);
  EXPECT_LT(hexagons.grid_score_90, 0.5);
  EXPECT_GT(squares.grid_score_90, 1);
  EXPECT_LT(squares.grid_score_60, 0.3);
}

TEST(GridScorer, AScoreIsThatOfItsBestMask) {
  const GridScores scores = GridScorer(32).Score(Noise(32, 8));
  EXPECT_EQ(scores.grid_score_60, *std::ranges::max_element(scores.mask_60));
  EXPECT_EQ(scores.grid_score_60, scores.mask_60[scores.best_mask_60]);
  EXPECT_EQ(scores.grid_score_90, *std::ranges::max_element(scores.mask_90));
  EXPECT_EQ(scores.grid_score_90, scores.mask_90[scores.best_mask_90]);
}

TEST(GridScorer, AQuarterTurnOrAReflectionOfTheMapLeavesItsScores) {
  const int n = 32;
  const GridScorer scorer(n);
  for (const Ratemap& map : {Hexagonal(n, 9, 0.3), Noise(n, 9), Place(n, 5, 20, 2)}) {
    const GridScores scores = scorer.Score(map);
    const GridScores turned =
        scorer.Score(MapOf(n, [&](int i, int j) { return map[j * n + n - 1 - i]; }));
    const GridScores reflected =
        scorer.Score(MapOf(n, [&](int i, int j) { return map[j * n + i]; }));
    for (const GridScores& other : {turned, reflected}) {
      const auto near = testing::Pointwise(testing::DoubleNear(1e-10), scores.mask_60);
      EXPECT_THAT(other.mask_60, near);
      EXPECT_THAT(other.mask_90, testing::Pointwise(testing::DoubleNear(1e-10), scores.mask_90));
    }
  }
}

TEST(GridScorer, ScalingRatesLeavesScores) {
  const GridScorer scorer(20);
  const Ratemap map = Noise(20, 10);
  const auto scaled = [&](double factor) {
    Ratemap other = map;
    for (double& rate : other) rate *= factor;
    return scorer.Score(other).mask_60;
  };
  const auto scores = scorer.Score(map).mask_60;
  EXPECT_EQ(scaled(std::ldexp(1, 40)), scores);
  EXPECT_EQ(scaled(-std::ldexp(1, -40)), scores);
  EXPECT_THAT(scaled(3.7e-11), testing::Pointwise(testing::DoubleNear(1e-10), scores));
}

TEST(GridScorer, ARaisedMapKeepsItsScores) {
  const GridScorer scorer(20);
  const Ratemap map = Noise(20, 11);
  Ratemap raised = map;
  for (double& rate : raised) rate += 2.5;
  EXPECT_THAT(scorer.Score(raised).mask_60,
              testing::Pointwise(testing::DoubleNear(1e-9), scorer.Score(map).mask_60));
}

TEST(GridScorer, SilentAndConstantMapsHaveNoScore) {
  const GridScorer scorer(20);
  const auto expect_none = [&](const Ratemap& map) {
    EXPECT_TRUE(GridScorer::HasNoVariance(map));
    const GridScores scores = scorer.ScoreAll(map).scores;
    EXPECT_TRUE(std::isnan(scores.grid_score_60));
    EXPECT_TRUE(std::isnan(scores.grid_score_90));
    EXPECT_TRUE(std::isnan(scores.mask_60[0]));
    EXPECT_EQ(scores.best_mask_60, -1);
    EXPECT_EQ(scores.best_mask_90, -1);
  };
  expect_none(Ratemap(400, 0.0));
  expect_none(Ratemap(400, 0.7));
  expect_none(Ratemap(400, -0.7));
  expect_none(Ratemap(400, kNaN));
  // A saturated unit is not saved by the bins that nobody visited.
  expect_none(WithHoles(Ratemap(400, 1.0), 0.1, 12));
  Ratemap rounding(400, 1.0);
  rounding[7] += 0.9e-12;
  expect_none(rounding);
  rounding[7] += 1e-11;
  EXPECT_FALSE(GridScorer::HasNoVariance(rounding));
}

TEST(GridScorer, InfiniteRatesHaveNoScore) {
  Ratemap map = Noise(20, 13);
  map[5] = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(GridScorer(20).Score(map).grid_score_60));
  EXPECT_EQ(GridScorer(20).ScoreAll(map).scores.best_mask_60, -1);
}

TEST(GridScorer, AutocorrelogramIsPointSymmetricToTheBitAndOneAtItsCentre) {
  for (const bool masked : {false, true}) {
    const GridScorer scorer(20, {.mask_unvisited = masked});
    const std::vector<double> sac = scorer.Autocorrelogram(WithHoles(Noise(20, 14), 0.1, 15));
    ASSERT_EQ(sac.size(), 39u * 39u);
    EXPECT_NEAR(sac[39 * 19 + 19], 1, 1e-12);
    for (size_t k = 0; k < sac.size(); ++k) ASSERT_EQ(sac[k], sac[sac.size() - 1 - k]) << k;
  }
}

TEST(GridScorer, AutocorrelogramAgreesWithTheDefinition) {
  const Ratemap map = WithHoles(Place(20, 4, 11, 1.2), 0.1, 16);
  for (const bool masked : {false, true}) {
    const auto sac = GridScorer(20, {.mask_unvisited = masked}).Autocorrelogram(map);
    const auto naive = NaiveAutocorrelogram(map, 20, masked);
    for (size_t k = 0; k < sac.size(); ++k)
      ASSERT_NEAR(sac[k], static_cast<double>(naive[k]), 1e-9) << k;
  }
}

TEST(GridScorer, EveryWayToAScoreGivesTheSameBits) {
  const GridScorer scorer(32);
  const Ratemap map = WithHoles(Hexagonal(32, 10, 0.3), 0.05, 17);
  const GridScorer::All all = scorer.ScoreAll(map);
  const GridScores from_sac = scorer.ScoreAutocorrelogram(scorer.Autocorrelogram(map));
  EXPECT_EQ(all.scores.mask_60, scorer.Score(map).mask_60);
  EXPECT_EQ(all.scores.mask_90, scorer.Score(map).mask_90);
  EXPECT_EQ(all.scores.mask_60, from_sac.mask_60);
  EXPECT_EQ(all.period.period_bins, scorer.FindPeriod(map).period_bins);
  EXPECT_EQ(all.period.orientations_rad, scorer.FindPeriod(map).orientations_rad);
}

TEST(GridScorer, ServesManyThreadsAndSizesAtOnce) {
  const GridScorer small(20), large(44);
  const Ratemap small_map = Noise(20, 18), large_map = Noise(44, 19);
  const auto expect_small = small.Score(small_map).mask_60;
  const auto expect_large = large.Score(large_map).mask_60;
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (bool& ok : right) {
    threads.emplace_back([&] {
      ok = true;
      for (int k = 0; k < 20; ++k)
        ok = ok && small.Score(small_map).mask_60 == expect_small &&
             large.Score(large_map).mask_60 == expect_large;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, testing::Each(true));
}

TEST(Period, OfAHexagonalLatticeIsItsSpacingAndItsPeaksLieSixtyDegreesApart) {
  const Period period = GridScorer(44).FindPeriod(Hexagonal(44, 12, 0.25));
  EXPECT_NEAR(period.period_bins, 12, 0.8);
  EXPECT_LT(period.period_error_bins, 0.8);
  auto angles = period.orientations_rad;
  std::ranges::sort(angles);
  for (int k = 1; k < 6; ++k) EXPECT_NEAR(angles[k] - angles[k - 1], pi / 3, 0.1);
}

TEST(Period, WithFewerThanSixPeaksIsOverThoseThereAre) {
  // Two fields: peaks of the correlation at their distance, (0, 12) and (0, -12).
  Ratemap map(400, 0.0);
  map[20 * 9 + 3] = map[20 * 9 + 15] = 1;
  const Period period = GridScorer(20).FindPeriod(map);
  EXPECT_EQ(period.period_bins, 12);
  EXPECT_EQ(period.period_error_bins, 0);
  EXPECT_EQ(period.orientations_rad[0], -pi / 2);
  EXPECT_EQ(period.orientations_rad[1], pi / 2);
  for (int k = 2; k < 6; ++k) EXPECT_TRUE(std::isnan(period.orientations_rad[k]));
}

TEST(Period, WithoutPeaksIsNaN) {
  for (const Ratemap& map : {Ratemap(400, 0.0), Ratemap(400, 1.0), Place(20, 10, 10, 3)}) {
    const Period period = GridScorer(20).FindPeriod(map);
    EXPECT_TRUE(std::isnan(period.period_bins));
    EXPECT_TRUE(std::isnan(period.period_error_bins));
    EXPECT_THAT(period.orientations_rad, testing::Each(testing::IsNan()));
  }
}

}  // namespace
}  // namespace gridsweep::scoring

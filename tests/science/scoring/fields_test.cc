#include "science/scoring/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace gridsweep::scoring {
namespace {

constexpr int kSide = 44;
const double kNaN = std::nan("");

BinGrid Square() { return {kSide, kSide, 2.2, 2.2}; }

std::vector<double> MapOf(const std::function<double(int, int)>& rate, int nx = kSide,
                          int ny = kSide) {
  std::vector<double> map;
  for (int i = 0; i < nx; ++i)
    for (int j = 0; j < ny; ++j) map.push_back(rate(i, j));
  return map;
}

double ScoreOf(const std::vector<double>& map, const BinGrid& grid = Square()) {
  return BorderScore(map, FindFields(map, grid), grid);
}

TEST(Fields, AreSetsOfTouchingBinsOverThreeTenthsOfTheMaximum) {
  // A block of 3 x 4 at its maximum, its neighbour bins at 0.3, those beyond at 0.29.
  const auto map = MapOf([](int i, int j) {
    const int dx = std::max({0, 10 - i, i - 12}), dy = std::max({0, 20 - j, j - 23});
    return dx + dy == 0 ? 10.0 : dx + dy == 1 ? 3.0 : 2.9;
  });
  const auto fields = FindFields(map, Square());
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].size(), 3U * 4 + 2 * 3 + 2 * 4);
  EXPECT_EQ(fields[0].front(), 9 * kSide + 20);
  EXPECT_TRUE(std::ranges::is_sorted(fields[0]));
}

TEST(Fields, OnADiagonalDoNotTouch) {
  const auto map = MapOf([](int i, int j) {
    return (i < 4 && j < 4) || (i >= 4 && i < 8 && j >= 4 && j < 8) ? 1.0 : 0.0;
  });
  EXPECT_EQ(FindFields(map, Square()).size(), 2U);
}

TEST(Fields, HaveAtLeast200SquareCentimetres) {
  const auto bar = [](int bins) {
    return MapOf([=](int i, int j) { return i == 5 && j < bins ? 1.0 : 0.0; });
  };
  // Bins of 25 cm2.
  EXPECT_EQ(FindFields(bar(7), Square()).size(), 0U);
  EXPECT_EQ(FindFields(bar(8), Square()).size(), 1U);
  // Of 100 cm2.
  const BinGrid coarse(22, 22, 2.2, 2.2);
  EXPECT_EQ(FindFields(MapOf([](int i, int j) { return i == 5 && j < 2; }, 22, 22), coarse).size(),
            1U);
  EXPECT_EQ(FindFields(MapOf([](int i, int j) { return i == 5 && j < 1; }, 22, 22), coarse).size(),
            0U);
}

TEST(Fields, OfNegativeRatesAreSoughtAboveTheMinimum) {
  // From -10 to 0: 0.3 of the maximum is -7.
  const auto map = MapOf([](int i, int j) {
    if (i < 5 && j < 5) return 0.0;
    return i > 20 && i < 26 && j < 5 ? -7.0 : i > 30 && j < 5 ? -7.1 : -10.0;
  });
  const auto fields = FindFields(map, Square());
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[1].front(), 21 * kSide);
}

TEST(Fields, DoNotCoverBinsThatNobodyVisited) {
  const auto map = MapOf([](int i, int j) { return j == 22 ? kNaN : i < 10 ? 1.0 : 0.0; });
  EXPECT_EQ(FindFields(map, Square()).size(), 2U);
}

TEST(Fields, ASilentUnitHasNone) {
  EXPECT_TRUE(FindFields(MapOf([](int, int) { return 0.0; }), Square()).empty());
  EXPECT_TRUE(FindFields(MapOf([](int, int) { return -3.0; }), Square()).empty());
  EXPECT_TRUE(FindFields(MapOf([](int, int) { return kNaN; }), Square()).empty());
  EXPECT_TRUE(std::isnan(ScoreOf(MapOf([](int, int) { return 0.0; }))));
}

TEST(BorderScore, OfAFieldAlongAWholeWallIsNearlyOne) {
  // c = 1; one bin deep, whose centre lies 2.5 of 110 cm from the wall.
  const double depth = 0.025 / 1.1;
  const double expected = (1 - depth) / (1 + depth);
  EXPECT_NEAR(ScoreOf(MapOf([](int i, int) { return i == 0; })), expected, 1e-12);
  EXPECT_NEAR(ScoreOf(MapOf([](int i, int) { return i == kSide - 1; })), expected, 1e-12);
  EXPECT_NEAR(ScoreOf(MapOf([](int, int j) { return j == 0; })), expected, 1e-12);
  EXPECT_NEAR(ScoreOf(MapOf([](int, int j) { return j == kSide - 1; })), expected, 1e-12);
}

TEST(BorderScore, OfAFieldInTheMiddleIsMinusOne) {
  EXPECT_EQ(ScoreOf(MapOf([](int i, int j) { return i > 18 && i < 25 && j > 18 && j < 25; })), -1);
}

TEST(BorderScore, WeighsBinsByTheirRate) {
  // Half of a wall, two bins deep with rates 3 and 1: d = (3 * 2.5 + 1 * 7.5) / 4 cm over 110.
  const auto map = MapOf([](int i, int j) { return j < 22 && i < 2 ? (i == 0 ? 3.0 : 1.0) : 0.0; });
  // The bins of column 0 lie 2.5 cm from the other wall.
  const double d = (22 * 3 * 2.5 + 1 * 2.5 + 21 * 7.5) / (22 * 4) / 110;
  EXPECT_NEAR(ScoreOf(map), (0.5 - d) / (0.5 + d), 1e-12);
}

TEST(BorderScore, TakesTheLargestShareThatOneFieldCovers) {
  // Two fields on one wall: 10 and 20 bins, apart.
  const auto map = MapOf([](int i, int j) { return i == 0 && (j < 10 || j >= 24); });
  const auto fields = FindFields(map, Square());
  ASSERT_EQ(fields.size(), 2U);
  const double d = 0.025 / 1.1, c = 20.0 / kSide;
  EXPECT_NEAR(ScoreOf(map), (c - d) / (c + d), 1e-12);
}

TEST(BorderScore, CountsDistanceAndWallsOfAnOblongBoxByItsSides) {
  // 2.2 x 1.1 m: the long walls have 44 bins, the short ones 22; half the shorter side is 0.55 m.
  const BinGrid oblong(44, 22, 2.2, 1.1);
  const double d = 0.025 / 0.55;
  EXPECT_NEAR(ScoreOf(MapOf([](int, int j) { return j == 0; }, 44, 22), oblong), (1 - d) / (1 + d),
              1e-12);
  EXPECT_NEAR(ScoreOf(MapOf([](int i, int j) { return j == 0 && i < 22; }, 44, 22), oblong),
              (0.5 - d) / (0.5 + d), 1e-12);
  EXPECT_NEAR(ScoreOf(MapOf([](int i, int j) { return i == 0 && j < 11; }, 44, 22), oblong),
              (0.5 - d) / (0.5 + d), 1e-12);
}

TEST(BorderScore, LowersNegativeRatesToTheirMinimumFirst) {
  const auto up = MapOf([](int i, int j) { return j < 22 && i < 2 ? (i == 0 ? 3.0 : 1.0) : 0.0; });
  auto down = up;
  for (double& rate : down) rate -= 5;
  EXPECT_NEAR(ScoreOf(down), ScoreOf(up), 1e-12);
}

}  // namespace
}  // namespace gridsweep::scoring

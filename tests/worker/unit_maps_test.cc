#include "worker/unit_maps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(UnitMaps, FullGridHasBinsOfTheAskedSide) {
  science::RunConfig config;
  const auto square = FullGrid(config);
  EXPECT_EQ(square.nx, 44);
  EXPECT_EQ(square.ny, 44);
  config.box_height_in_m = 1.1;
  const auto oblong = FullGrid(config);
  EXPECT_EQ(oblong.nx, 44);
  EXPECT_EQ(oblong.ny, 22);
}

TEST(UnitMaps, CoarseGridOfAnOblongBoxKeepsBinsSquare) {
  science::RunConfig config;
  config.box_height_in_m = 1.1;
  const auto grid = CoarseGrid(config, 32);
  EXPECT_EQ(grid.nx, 32);
  EXPECT_EQ(grid.ny, 16);
}

TEST(UnitMaps, FractionsCountUnitsWithoutAScoreInTheDenominatorAlone) {
  const std::vector<double> scores = {0.3, 0.31, 0.9, kNaN};
  const auto fractions = FractionsAbove(scores);
  EXPECT_EQ(fractions[0], 0.5);   // > 0.3: strictly
  EXPECT_EQ(fractions[2], 0.25);  // > 0.8
  EXPECT_EQ(fractions[4], 0.0);   // > 1.0
}

TEST(UnitMaps, MaxScoreSkipsUnitsWithoutAScore) {
  EXPECT_EQ(MaxScore(std::vector<double>{kNaN, -1.5, -0.5, kNaN}), -0.5);
  EXPECT_TRUE(std::isnan(MaxScore(std::vector<double>{kNaN, kNaN})));
  EXPECT_TRUE(std::isnan(MaxScore({})));
}

TEST(UnitMaps, MaxOf1024IsOverAllOfASmallNetwork) {
  std::vector<double> scores(1024, 0.0);
  scores[1023] = 1.2;
  for (int64_t seed = 0; seed < 10; ++seed) EXPECT_EQ(MaxScoreOf1024(scores, seed), 1.2);
}

TEST(UnitMaps, MaxOf1024DrawsAQuarterOf4096UnitsBySeed) {
  // The one high unit is among the drawn with probability 1/4.
  std::vector<double> scores(4096, 0.0);
  scores[1234] = 1.2;
  int hits = 0;
  for (int64_t seed = 0; seed < 400; ++seed) {
    const double best = MaxScoreOf1024(scores, seed);
    EXPECT_EQ(best, MaxScoreOf1024(scores, seed));
    hits += best == 1.2;
  }
  EXPECT_GT(hits, 60);
  EXPECT_LT(hits, 140);
}

}  // namespace
}  // namespace gridsweep::worker

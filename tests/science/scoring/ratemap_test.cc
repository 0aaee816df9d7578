#include "science/scoring/ratemap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gridsweep::scoring {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(BinGrid, ABinStartsAtItsEdgeAndEndsJustBeforeTheNext) {
  for (const int n : {20, 32, 44}) {
    const BinGrid grid(n, n, 2.2, 2.2);
    for (int i = 0; i < n; ++i) {
      EXPECT_EQ(grid.Index(grid.x_edges[i], -1.1), i * n) << i;
      EXPECT_EQ(grid.Index(-1.1, grid.y_edges[i]), i) << i;
      const double before = std::nextafter(grid.x_edges[i], -kInfinity);
      EXPECT_EQ(grid.Index(before, -1.1), i == 0 ? -1 : (i - 1) * n) << i;
    }
  }
}

TEST(BinGrid, TheLastBinHoldsItsRightEdge) {
  const BinGrid grid(44, 44, 2.2, 2.2);
  EXPECT_EQ(grid.Index(1.1, 1.1), 44 * 44 - 1);
  EXPECT_EQ(grid.Index(std::nextafter(1.1, kInfinity), 0), -1);
  EXPECT_EQ(grid.Index(0, std::nextafter(1.1, kInfinity)), -1);
}

TEST(BinGrid, EdgesSpanTheBoxEvenly) {
  const BinGrid grid(44, 30, 2.2, 1.5);
  ASSERT_EQ(grid.x_edges.size(), 45u);
  ASSERT_EQ(grid.y_edges.size(), 31u);
  EXPECT_EQ(grid.x_edges.front(), -1.1);
  EXPECT_EQ(grid.x_edges.back(), 1.1);
  EXPECT_EQ(grid.y_edges.back(), 0.75);
  for (int i = 0; i <= 44; ++i) EXPECT_NEAR(grid.x_edges[i], -1.1 + 0.05 * i, 1e-15);
}

TEST(BinGrid, FirstIndexIsX) {
  const BinGrid grid(4, 3, 4, 3);
  EXPECT_EQ(grid.Index(-1.5, 1.2), 2);
  EXPECT_EQ(grid.Index(1.5, -1.2), 9);
}

TEST(BinGrid, NoPositionIsOutside) {
  const BinGrid grid(4, 4, 2, 2);
  EXPECT_EQ(grid.Index(std::nan(""), 0), -1);
  EXPECT_EQ(grid.Index(0, std::nan("")), -1);
  EXPECT_EQ(grid.Index(kInfinity, 0), -1);
}

TEST(RatemapAccumulator, RateIsTheMeanOfABinAndNaNWhereNobodyWent) {
  RatemapAccumulator accumulator(BinGrid(2, 2, 2, 2), 2);
  // Bins 0, 0, 3 and, in another batch, 0.
  accumulator.Add(std::vector{-0.5, -0.5, -0.9, -0.1, 0.5, 0.5},
                  std::vector<float>{1, 10, 2, 20, 7, -7});
  accumulator.Add(std::vector{-0.2, -0.2}, std::vector<float>{6, 60});
  EXPECT_THAT(accumulator.occupancy(), testing::ElementsAre(3, 0, 0, 1));
  const auto nan = testing::IsNan();
  EXPECT_THAT(accumulator.Ratemaps(), testing::ElementsAre(3, nan, nan, 7, 30, nan, nan, -7));
}

TEST(RatemapAccumulator, SamplesOutsideTheBoxAreLeftOut) {
  RatemapAccumulator accumulator(BinGrid(2, 2, 2, 2), 1);
  accumulator.Add(std::vector{1.01, 0.0, 0.0, -1.01, 0.5, -0.5}, std::vector<float>{5, 6, 7});
  EXPECT_THAT(accumulator.occupancy(), testing::ElementsAre(0, 0, 1, 0));
  EXPECT_EQ(accumulator.Ratemaps()[2], 7);
}

TEST(RatemapAccumulator, SumsKeepWhatFloat32WouldLose) {
  RatemapAccumulator accumulator(BinGrid(1, 1, 2, 2), 1);
  accumulator.Add(std::vector{0.0, 0.0, 0.0, 0.0}, std::vector<float>{1e8f, 1.0f});
  EXPECT_EQ(accumulator.Ratemaps()[0], (1e8 + 1) / 2);
}

}  // namespace
}  // namespace gridsweep::scoring

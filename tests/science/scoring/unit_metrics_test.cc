#include "science/scoring/unit_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace gridsweep::scoring {
namespace {

const double kNaN = std::nan("");
using Rates = std::vector<double>;
using Visits = std::vector<int64_t>;

TEST(UnitMetrics, MeanAndPeakAreOverVisitedBins) {
  const Rates map{1, kNaN, -4, 6};
  EXPECT_EQ(MeanRate(map), 1);
  EXPECT_EQ(PeakRate(map), 6);
  EXPECT_EQ(PeakRate(Rates{kNaN, -4, -6}), -4);
}

TEST(UnitMetrics, AMapThatNobodyVisitedHasNone) {
  const Rates map{kNaN, kNaN};
  EXPECT_TRUE(std::isnan(MeanRate(map)));
  EXPECT_TRUE(std::isnan(PeakRate(map)));
  EXPECT_TRUE(std::isnan(SpatialInformation(map, Visits{0, 0})));
}

TEST(SpatialInformation, AUniformRateCarriesNone) {
  EXPECT_EQ(SpatialInformation(Rates{3, 3, 3}, Visits{1, 5, 2}), 0);
}

TEST(SpatialInformation, OneOfFourEqualBinsIsTwoBits) {
  EXPECT_DOUBLE_EQ(SpatialInformation(Rates{0, 5, 0, 0}, Visits{7, 7, 7, 7}), 2);
}

TEST(SpatialInformation, TimeSpentWeighsBins) {
  // p = 1/4, 3/4; mean rate 1; 1/4 * 4 * log2(4).
  EXPECT_DOUBLE_EQ(SpatialInformation(Rates{4, 0}, Visits{1, 3}), 2);
  // p = 3/4, 1/4; mean rate 3/2; (3/4)(2/3) log2(2/3) + (1/4)(2) log2(2).
  EXPECT_NEAR(SpatialInformation(Rates{1, 3}, Visits{3, 1}), 0.20751874963942185, 1e-15);
}

TEST(SpatialInformation, UnvisitedBinsDoNotCount) {
  EXPECT_DOUBLE_EQ(SpatialInformation(Rates{4, kNaN, 0, kNaN}, Visits{1, 0, 3, 0}), 2);
}

TEST(SpatialInformation, NegativeRatesAreRaisedByTheirMinimum) {
  EXPECT_NEAR(SpatialInformation(Rates{-2, 0, -3}, Visits{3, 1, 0}),
              SpatialInformation(Rates{1, 3, 0}, Visits{3, 1, 0}), 1e-15);
}

TEST(SpatialInformation, IsLeftAloneWithoutNegativeRates) {
  EXPECT_NEAR(SpatialInformation(Rates{1, 3}, Visits{3, 1}),
              SpatialInformation(Rates{10, 30}, Visits{3, 1}), 1e-15);
  EXPECT_NE(SpatialInformation(Rates{1, 3}, Visits{3, 1}),
            SpatialInformation(Rates{0, 2}, Visits{3, 1}));
}

TEST(SpatialInformation, ASilentUnitHasNone) {
  EXPECT_TRUE(std::isnan(SpatialInformation(Rates{0, 0}, Visits{1, 1})));
  EXPECT_TRUE(std::isnan(SpatialInformation(Rates{-2, -2}, Visits{1, 1})));
}

}  // namespace
}  // namespace gridsweep::scoring

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/statistics/density.h"

namespace gridsweep::analysis {
namespace {

TEST(Density, IsTheMeanOfNormalDensities) {
  const std::vector<double> values = {14.2, 15.0, 15.0, 31.7};
  const auto at = EvenlySpaced(0, 150, 1000);
  EXPECT_EQ(at.front(), 0);
  EXPECT_EQ(at.back(), 150);
  EXPECT_DOUBLE_EQ(at[1], 150.0 / 999);
  // scipy.stats.norm.pdf, averaged.
  const auto density = GaussianDensity(values, std::vector<double>{15.0, 23.0, 31.7}, 1);
  EXPECT_NEAR(density[0], 0.271894028391087, 1e-14);
  EXPECT_NEAR(density[1], 2.5313152221945885e-15, 1e-26);
  EXPECT_NEAR(density[2], 0.09973557010035818, 1e-14);
  const auto curve = GaussianDensity(values, at, 2.5);
  double area = 0;
  for (const double d : curve) area += d * 150 / 999;
  EXPECT_NEAR(area, 1, 1e-6);
}

}  // namespace
}  // namespace gridsweep::analysis

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "analysis/statistics/circular.h"
#include "analysis/statistics/density.h"
#include "analysis/statistics/dip.h"

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

// Samples that a few lines of any language can make again.
std::vector<double> Sample(int n, uint64_t state, const std::string& kind) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double u = static_cast<double>(state >> 11) * 0x1p-53;
    values.push_back(kind == "two"     ? 0.3 * u + (i % 2 ? 0.7 : 0.0)
                     : kind == "ties"  ? std::floor(12 * u)
                     : kind == "power" ? u * u * u * u
                                       : u);
  }
  return values;
}

TEST(Dip, AgreesWithTheReferenceImplementation) {
  // diptest 0.12 (Python), whose code descends from Hartigan's own. Five of them, those with ties
  // among them, were also had from the definition by linear programs, one for each place of the
  // mode.
  EXPECT_NEAR(Dip(Sample(5, 1, "uniform")), 0.1, 1e-12);
  EXPECT_NEAR(Dip(Sample(17, 2, "uniform")), 0.06274467004833996, 1e-12);
  EXPECT_NEAR(Dip(Sample(200, 3, "uniform")), 0.02986767433740278, 1e-12);
  EXPECT_NEAR(Dip(Sample(40, 4, "two")), 0.14809007082498565, 1e-12);
  EXPECT_NEAR(Dip(Sample(333, 5, "two")), 0.14348058279524295, 1e-12);
  EXPECT_NEAR(Dip(Sample(60, 6, "ties")), 0.06875, 1e-12);
  EXPECT_NEAR(Dip(Sample(500, 7, "ties")), 0.051, 1e-12);
  EXPECT_NEAR(Dip(Sample(100, 8, "power")), 0.022811080419017724, 1e-12);
  EXPECT_NEAR(Dip(Sample(3, 9, "two")), 1 / 6.0, 1e-12);
}

TEST(Dip, OfTheFacultyDataIsTheOnePublished) {
  // Quality of 63 statistics departments (Hartigan and Hartigan 1985): 0.0595.
  std::vector<double> quality;
  const std::vector<std::pair<double, int>> counts = {
      {30, 1}, {33, 1}, {35, 1}, {36, 1}, {37, 2}, {39, 5}, {40, 4}, {41, 1},
      {42, 1}, {43, 3}, {44, 2}, {45, 2}, {46, 1}, {47, 2}, {48, 3}, {49, 1},
      {50, 2}, {51, 1}, {52, 2}, {53, 5}, {54, 2}, {57, 2}, {59, 1}, {60, 3},
      {61, 4}, {62, 4}, {63, 1}, {66, 1}, {70, 1}, {72, 2}, {74, 1}};
  for (const auto& [value, count] : counts) quality.insert(quality.end(), count, value);
  ASSERT_EQ(quality.size(), 63u);
  EXPECT_NEAR(Dip(quality), 0.05952380952380952, 1e-12);
}

TEST(Dip, LiesBetweenItsBoundsAndForgetsOrderPlaceAndScale) {
  EXPECT_DOUBLE_EQ(Dip(std::vector<double>{7}), 0.5);
  EXPECT_DOUBLE_EQ(Dip(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), 0.05);
  EXPECT_DOUBLE_EQ(Dip(std::vector<double>{0, 0, 1, 1}), 0.25) << "two atoms are the worst case";
  auto values = Sample(80, 11, "two");
  const double dip = Dip(values);
  std::ranges::reverse(values);
  for (double& value : values) value = 3 - 8 * value;
  EXPECT_NEAR(Dip(values), dip, 1e-12) << "mirrored, moved and stretched";
}

TEST(Dip, PValuesComeFromUniformSamples) {
  // Interpolated in diptest's table.
  EXPECT_NEAR(DipPValue(0.02986767433740278, 200, 2000, 1), 0.244, 0.03);
  EXPECT_NEAR(DipPValue(0.06875, 60, 2000, 1), 0.0285, 0.01);
  EXPECT_NEAR(DipPValue(0.022811080419017724, 100, 2000, 1), 0.990, 0.01);
  EXPECT_DOUBLE_EQ(DipPValue(0.148, 40, 999, 1), 0.001) << "never 0: as few as the draws can show";
  EXPECT_EQ(DipPValue(0.05, 60, 200, 3), DipPValue(0.05, 60, 200, 3));
}

TEST(Circular, LengthAndDeviationAreThoseOfUnitVectors) {
  const std::vector<double> angles = {0.1, 0.5, 2.0, 6.2, 5.9};
  EXPECT_NEAR(ResultantLength(angles), 0.706871734252123, 1e-12);
  EXPECT_NEAR(CircularDeviation(0.706871734252123), 0.8329538427809042, 1e-12);  // scipy's circstd
  EXPECT_NEAR(ResultantLength(std::vector<double>{0, M_PI}), 0, 1e-15);
  EXPECT_EQ(CircularDeviation(1), 0);
}

TEST(Circular, RayleighsPValueIsTheShareOfUniformSamplesThatAreAsLong) {
  // 400,000 samples each, by NumPy.
  EXPECT_NEAR(RayleighPValue(0.2, 10), 0.680, 0.002);
  EXPECT_NEAR(RayleighPValue(0.35, 10), 0.2999, 0.002);
  EXPECT_NEAR(RayleighPValue(0.5, 10), 0.0781, 0.002);
  EXPECT_NEAR(RayleighPValue(0.2, 50), 0.1358, 0.002);
  EXPECT_NEAR(RayleighPValue(0.35, 50), 0.00182, 0.0003);
  std::mt19937_64 random(5);
  int as_long = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<double> angles;
    for (int k = 0; k < 20; ++k) {
      angles.push_back(2 * M_PI * static_cast<double>(random() >> 11) * 0x1p-53);
    }
    as_long += ResultantLength(angles) >= 0.4;
  }
  EXPECT_NEAR(RayleighPValue(0.4, 20), as_long / 20'000.0, 0.005);
}

}  // namespace
}  // namespace gridsweep::analysis

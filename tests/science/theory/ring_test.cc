#include "science/theory/ring.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "science/theory/readout_theory.h"

namespace gridsweep::theory {
namespace {

using science::Draw;
using science::Readout;

constexpr double kStep = 2 * std::numbers::pi / (55 * 2.2 / 54);  // 2.804 rad/m

RadialSpectrum Radial(std::vector<double> power) { return {2.0, std::move(power)}; }

TEST(RadialSpectrum, IsTheMeanOverModesOfARoundedLength) {
  constexpr int kRes = 9;
  std::vector<double> spectrum;
  for (int i = 0; i < kRes * kRes; ++i) spectrum.push_back(1 + i * i % 17);
  const RadialSpectrum radial = AverageOverDirections(spectrum, kRes, 0.5);
  ASSERT_EQ(radial.power.size(), 4u);
  for (int m = 1; m <= 4; ++m) {
    double sum = 0;
    int count = 0;
    for (int p = -4; p <= 4; ++p) {
      for (int q = -4; q <= 4; ++q) {
        const int square = p * p + q * q;
        // sqrt(square) rounds to m; the halves between are never met.
        if (4 * square < (2 * m - 1) * (2 * m - 1) || 4 * square > (2 * m + 1) * (2 * m + 1)) {
          continue;
        }
        sum += spectrum[(p + kRes) % kRes * kRes + (q + kRes) % kRes];
        ++count;
      }
    }
    EXPECT_DOUBLE_EQ(radial.power[m - 1], sum / count);
  }
}

TEST(Rings, AMaximumBeyondTheLowestModePredicts) {
  const Rings rings = FindRings(Radial({1, 3, 8, 2, 4, 1}));
  EXPECT_TRUE(rings.Predicts());
  EXPECT_EQ(rings.maximum.wavenumber, 6);
  EXPECT_EQ(rings.local->wavenumber, 6);
  EXPECT_EQ(rings.local->height, 1);
}

TEST(Rings, ALowerLocalMaximumIsNamedWithItsHeight) {
  const Rings rings = FindRings(Radial({8, 1, 2, 1, 4, 1}));
  EXPECT_FALSE(rings.Predicts());
  EXPECT_EQ(rings.maximum.wavenumber, 2);
  ASSERT_TRUE(rings.local);
  EXPECT_EQ(rings.local->wavenumber, 6);
  EXPECT_EQ(rings.local->height, 0.25);
}

TEST(Rings, AFallingSpectrumHasNone) {
  const Rings rings = FindRings(Radial({8, 4, 2, 1, 1.00001e-3, 1.1e-3, 1e-4}));
  EXPECT_FALSE(rings.local) << "a bump of 1/7000 is noise";
  EXPECT_FALSE(rings.Predicts());
}

TEST(Lattice, SpacingOfThreeWavesIsMeasuredOnTheirSum) {
  // The sum of three waves of wavenumber k has its nearest maxima where the theory says.
  constexpr double kWave = 8.41;
  const auto value = [](double x, double y) {
    double sum = 0;
    for (int w = 0; w < 3; ++w) {
      const double angle = w * std::numbers::pi / 3;
      sum += std::cos(kWave * (x * std::cos(angle) + y * std::sin(angle)));
    }
    return sum;
  };
  double nearest = 10;
  for (double x = -1; x <= 1; x += 0.002) {
    for (double y = -1; y <= 1; y += 0.002) {
      const double distance = std::hypot(x, y);
      if (distance > 0.1 && value(x, y) > 2.9995) nearest = std::min(nearest, distance);
    }
  }
  EXPECT_NEAR(HexagonalSpacing(kWave), nearest, 0.006);
  EXPECT_NEAR(Wavelength(kWave), nearest * std::sqrt(3) / 2, 0.006);
}

Rings RingsOf(Readout readout, double width) {
  science::RunConfig config;
  config.place_field_values = readout;
  config.place_cell_rf = Draw::Constant(width);
  return PredictLattice(config, {.eigenmaps = 0})->rings;
}

TEST(PublishedReadouts, GaussianAndSoftmaxOfDifferencesHaveNoRing) {
  for (const Readout readout : {Readout::kGaussian, Readout::kSoftmaxOfDifferences}) {
    for (const double width : {0.05, 0.12, 0.2}) {
      const Rings rings = RingsOf(readout, width);
      EXPECT_DOUBLE_EQ(rings.maximum.wavenumber, kStep);
      EXPECT_FALSE(rings.local);
    }
  }
}

TEST(PublishedReadouts, DifferenceOfSoftmaxesHasARingThatShrinksWithItsWidth) {
  const std::pair<double, int> rings_seen[] = {{0.05, 6}, {0.12, 3}, {0.2, 2}};  // k 16.8, 8.4, 5.6
  for (const auto& [width, mode] : rings_seen) {
    const Rings rings = RingsOf(Readout::kDifferenceOfGaussians, width);
    EXPECT_TRUE(rings.Predicts()) << width;
    EXPECT_DOUBLE_EQ(rings.maximum.wavenumber, mode * kStep);
    EXPECT_DOUBLE_EQ(rings.local->wavenumber, mode * kStep);
  }
}

TEST(PublishedReadouts, TrueDifferenceOfGaussiansHasAWeakRingUnderItsLowestMode) {
  for (const double width : {0.05, 0.08, 0.12}) {
    const Rings rings = RingsOf(Readout::kTrueDifferenceOfGaussians, width);
    EXPECT_DOUBLE_EQ(rings.maximum.wavenumber, kStep);
    ASSERT_TRUE(rings.local) << width;
    EXPECT_GT(rings.local->height, 0.01);
    EXPECT_LT(rings.local->height, 0.03);
    EXPECT_FALSE(rings.Predicts());
  }
  EXPECT_FALSE(RingsOf(Readout::kTrueDifferenceOfGaussians, 0.2).local);
}

TEST(PublishedReadouts, RingsLieWithinAModeOfTheirClosedForm) {
  for (const Readout readout :
       {Readout::kDifferenceOfGaussians, Readout::kTrueDifferenceOfGaussians}) {
    for (const double width : {0.05, 0.08, 0.12}) {
      science::RunConfig config;
      config.place_field_values = readout;
      config.place_cell_rf = Draw::Constant(width);
      const ReadoutTheory theory = *PredictLattice(config, {.eigenmaps = 0});
      EXPECT_NEAR(theory.rings.local->wavenumber, *theory.closed_forms.wavenumber, kStep);
    }
  }
}

}  // namespace
}  // namespace gridsweep::theory

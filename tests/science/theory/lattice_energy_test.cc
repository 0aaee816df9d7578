#include "science/theory/lattice_energy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "science/theory/readout_theory.h"
#include "tests/science/theory/plain_fourier.h"

namespace gridsweep::theory {
namespace {

constexpr double kPi = std::numbers::pi;

TEST(LatticeEnergy, QuadraticPartIsTheFormOnTheLattice) {
  // gT Sigma g as the double sum over points, Sigma from its spectrum by plain loops.
  constexpr int kRes = 10;
  constexpr double kStep = 2.8, kWavenumber = 2.3 * kStep;
  std::vector<std::complex<double>> spectrum(kRes * kRes);
  for (int p = 0; p < kRes; ++p) {
    for (int q = 0; q < kRes; ++q) {
      const double n = std::hypot(p <= 5 ? p : p - kRes, q <= 5 ? q : q - kRes);
      spectrum[p * kRes + q] = p == 0 && q == 0 ? 0 : 30 * n * std::exp(-n * n / 6);
    }
  }
  const auto kernel = PlainTransform(spectrum, kRes, +1);  // times res^2
  std::vector<double> real;
  for (const auto& mode : spectrum) real.push_back(mode.real());
  const auto energies = LatticeEnergies(real, kRes, kStep, kWavenumber);
  ASSERT_EQ(energies.size(), 3u);
  const int counts[] = {3, 2, 1};
  for (size_t e = 0; e < 3; ++e) {
    std::vector<double> g;
    double mean = 0, square = 0, cube = 0;
    for (int x = 0; x < kRes * kRes; ++x) {
      g.push_back(0);
      for (int wave = 0; wave < counts[e]; ++wave) {
        const double angle = energies[e].direction + wave * kPi / counts[e];
        g.back() += std::cos(2 * kPi / kRes * 2.3 *
                             (x / kRes * std::cos(angle) + x % kRes * std::sin(angle)));
      }
      mean += g.back() / (kRes * kRes);
    }
    for (double& value : g) value -= mean;
    for (const double value : g) square += value * value;
    for (double& value : g) value /= std::sqrt(square);
    double quadratic = 0;
    for (int x = 0; x < kRes * kRes; ++x) {
      cube += g[x] * g[x] * g[x];
      for (int z = 0; z < kRes * kRes; ++z) {
        const int lag =
            (x / kRes - z / kRes + kRes) % kRes * kRes + (x % kRes - z % kRes + kRes) % kRes;
        quadratic += g[x] * kernel[lag].real() / (kRes * kRes) * g[z];
      }
    }
    EXPECT_NEAR(energies[e].quadratic, quadratic, 1e-9 * quadratic);
    EXPECT_NEAR(energies[e].cubic, cube * kRes, 1e-9);  // mean of g^3 at mean g^2 = 1
  }
}

TEST(LatticeEnergy, AWaveOnTheLatticeHasItsModesPower) {
  constexpr int kRes = 24;
  std::vector<double> spectrum(kRes * kRes);
  spectrum[3] = spectrum[kRes - 3] = 5;                  // direction 90 degrees
  spectrum[3 * kRes] = spectrum[(kRes - 3) * kRes] = 4;  // direction 0
  const auto energies = LatticeEnergies(spectrum, kRes, 1, 3);
  EXPECT_NEAR(energies[1].quadratic, 4.5, 1e-9);
  EXPECT_NEAR(energies[2].quadratic, 5, 1e-9);
  EXPECT_NEAR(energies[2].direction, kPi / 2, 1e-9);
  EXPECT_NEAR(energies[1].cubic, 0, 1e-9);
  EXPECT_NEAR(energies[2].cubic, 0, 1e-9);
}

TEST(LatticeEnergy, OnlyHexagonsHaveACubicPart) {
  // Many periods, so that the lattice's edge does not count.
  const std::vector<double> flat(96 * 96, 1);
  const auto energies = LatticeEnergies(flat, 96, 1, 20);
  EXPECT_EQ(energies[0].lattice, Lattice::kHexagonal);
  EXPECT_NEAR(energies[0].cubic, std::sqrt(2.0 / 3), 0.01);
  EXPECT_EQ(energies[1].lattice, Lattice::kSquare);
  EXPECT_NEAR(energies[1].cubic, 0, 0.01);
  EXPECT_EQ(energies[2].lattice, Lattice::kStripes);
  EXPECT_NEAR(energies[2].cubic, 0, 0.01);
  for (const auto& energy : energies) EXPECT_NEAR(energy.quadratic, 1, 0.01);
}

TEST(LatticeEnergy, ARingHasThemAndAReadoutWithoutOneHasNot) {
  science::RunConfig config;
  EXPECT_EQ(PredictLattice(config, {.eigenmaps = 0})->energies.size(), 3u);
  config.place_field_values = science::Readout::kGaussian;
  EXPECT_TRUE(PredictLattice(config, {.eigenmaps = 0})->energies.empty());
}

}  // namespace
}  // namespace gridsweep::theory

#include "science/theory/correlations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "science/integrator/readout.h"
#include "science/theory/fourier.h"
#include "tests/science/theory/plain_fourier.h"

namespace gridsweep::theory {
namespace {

science::RunConfig SmallReadout() {
  science::RunConfig config;
  config.place_field_values = science::Readout::kDifferenceOfGaussians;
  config.place_cell_rf = science::Draw::Constant(0.4);
  config.Np = 13;
  config.seed = 5;
  return config;
}

TEST(Responses, AreTheReadoutsAtPointsFromEdgeToEdge) {
  const science::RunConfig config = SmallReadout();
  const Responses responses = RespondOnLattice(config, 6);
  EXPECT_DOUBLE_EQ(responses.spacing(), 2.2 / 5);
  EXPECT_DOUBLE_EQ(responses.wavenumber_step(), 2 * std::numbers::pi / (6 * 2.2 / 5));
  const integrator::ReadoutMap readout(config);
  std::vector<float> expected(13);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      const double point[] = {-1.1 + 0.44 * i, -1.1 + 0.44 * j};
      readout.Targets(point, expected.data());
      for (size_t cell = 0; cell < 13; ++cell) {
        EXPECT_FLOAT_EQ(responses.values[(i * 6 + j) * 13 + cell], expected[cell]);
      }
    }
  }
}

class CorrelationsOf : public testing::TestWithParam<int> {};

// Over all pairs of points, as the definition has it.
TEST_P(CorrelationsOf, PairsOfPointsAreSummedByTheirLag) {
  const int res = GetParam();
  const Responses responses = RespondOnLattice(SmallReadout(), res);
  const auto y = [&](int i, int j, int64_t cell) {
    return static_cast<double>(responses.values[(i * res + j) * responses.cells + cell]);
  };
  std::vector<double> sigma(res * res);
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      for (int p = 0; p < res; ++p) {
        for (int q = 0; q < res; ++q) {
          const int row = (p - i + res + res / 2) % res, column = (q - j + res + res / 2) % res;
          for (int64_t cell = 0; cell < responses.cells; ++cell) {
            sigma[row * res + column] += y(i, j, cell) * y(p, q, cell);
          }
        }
      }
    }
  }
  const Correlations correlations = Correlate(responses);
  for (size_t x = 0; x < sigma.size(); ++x) {
    EXPECT_NEAR(correlations.sigma[x], sigma[x], 1e-12 * sigma[0]);
  }
  std::vector<std::complex<double>> centred(sigma.size());
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      centred[i * res + j] = sigma[(i + res / 2) % res * res + (j + res / 2) % res];
    }
  }
  const auto transform = PlainTransform(centred, res, -1);
  EXPECT_EQ(correlations.spectrum[0], 0);
  for (size_t k = 1; k < sigma.size(); ++k) {
    EXPECT_NEAR(correlations.spectrum[k], std::abs(transform[k]), 1e-12 * transform[0].real());
    EXPECT_NEAR(transform[k].imag(), 0, 1e-12 * transform[0].real()) << "Sigma is even";
  }
}

INSTANTIATE_TEST_SUITE_P(OddAndEvenLattices, CorrelationsOf, testing::Values(7, 8));

TEST(Correlations, ASingleGaussianHasItsClosedForm) {
  // exp(-x^2 / (2 w^2)) far from the edges: y~ = 2 pi w^2 exp(-k^2 w^2 / 2), in lattice points.
  constexpr int kRes = 48;
  constexpr double kWidth = 2.5;
  Responses responses{.res = kRes, .side = 1, .cells = 1, .values = {}};
  for (int i = 0; i < kRes; ++i) {
    for (int j = 0; j < kRes; ++j) {
      const double square = (i - 20) * (i - 20) + (j - 26) * (j - 26);
      responses.values.push_back(static_cast<float>(std::exp(-square / (2 * kWidth * kWidth))));
    }
  }
  const Correlations correlations = Correlate(responses);
  const double volume = 2 * std::numbers::pi * kWidth * kWidth;
  for (int i = 0; i < kRes; ++i) {
    for (int j = i == 0 ? 1 : 0; j < kRes; ++j) {
      const double k = 2 * std::numbers::pi / kRes * std::hypot(Mode(i, kRes), Mode(j, kRes));
      const double expected = volume * volume * std::exp(-k * k * kWidth * kWidth);
      EXPECT_NEAR(correlations.spectrum[i * kRes + j], expected, 2e-6 * volume * volume);
    }
  }
  // Its autocorrelation is wider by sqrt(2): pi w^2 exp(-x^2 / (4 w^2)).
  for (int j = 0; j < kRes; ++j) {
    const double lag = j - kRes / 2;
    EXPECT_NEAR(correlations.sigma[kRes / 2 * kRes + j],
                volume / 2 * std::exp(-lag * lag / (4 * kWidth * kWidth)), 1e-5 * volume);
  }
}

// Both ways of solving: fewer cells than points, and fewer points than cells.
class EigenmapsOf : public testing::TestWithParam<int> {};

TEST_P(EigenmapsOf, SigmaStretchesThemByTheirEigenvalues) {
  constexpr int kRes = 5, kPoints = kRes * kRes, kCount = 4;
  science::RunConfig config = SmallReadout();
  config.Np = GetParam();
  const Responses responses = RespondOnLattice(config, kRes);
  std::vector<double> y(responses.values.begin(), responses.values.end());
  for (int64_t cell = 0; cell < config.Np; ++cell) {
    double mean = 0;
    for (int x = 0; x < kPoints; ++x) mean += y[x * config.Np + cell] / kPoints;
    for (int x = 0; x < kPoints; ++x) y[x * config.Np + cell] -= mean;
  }
  const Eigenmaps top = TopEigenmaps(responses, kCount);
  ASSERT_EQ(top.values.size(), static_cast<size_t>(kCount));
  double trace = 0;
  for (const double value : y) trace += value * value;
  double before = trace;
  for (int m = 0; m < kCount; ++m) {
    const double* map = &top.maps[m * kPoints];
    for (int x = 0; x < kPoints; ++x) {
      double stretched = 0;
      for (int z = 0; z < kPoints; ++z) {
        for (int64_t cell = 0; cell < config.Np; ++cell) {
          stretched += y[x * config.Np + cell] * y[z * config.Np + cell] * map[z];
        }
      }
      EXPECT_NEAR(stretched, top.values[m] * map[x], 1e-12 * trace);
    }
    for (int other = 0; other <= m; ++other) {
      double product = 0;
      for (int x = 0; x < kPoints; ++x) product += map[x] * top.maps[other * kPoints + x];
      EXPECT_NEAR(product, other == m ? 1 : 0, 1e-9);
    }
    EXPECT_LE(top.values[m], before);
    before = top.values[m];
  }
  // All of them make up the trace, so that none larger was left out.
  const Eigenmaps all = TopEigenmaps(responses, 1000);
  EXPECT_EQ(all.values.size(), static_cast<size_t>(std::min<int64_t>(config.Np, kPoints)));
  EXPECT_NEAR(std::accumulate(all.values.begin(), all.values.end(), 0.0), trace, 1e-12 * trace);
  EXPECT_TRUE(std::equal(top.values.begin(), top.values.end(), all.values.begin()));
}

INSTANTIATE_TEST_SUITE_P(FewAndManyCells, EigenmapsOf, testing::Values(13, 40));

}  // namespace
}  // namespace gridsweep::theory

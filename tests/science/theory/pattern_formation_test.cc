#include "science/theory/pattern_formation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "tests/science/theory/plain_fourier.h"

namespace gridsweep::theory {
namespace {

constexpr int kRes = 6, kSize = kRes * kRes, kUnits = 3;

// Even, and large around one wavenumber.
std::vector<double> RingTransform(double strength) {
  std::vector<double> transform;
  for (int p = 0; p < kRes; ++p) {
    for (int q = 0; q < kRes; ++q) {
      const double n = std::hypot(Mode(p, kRes), Mode(q, kRes));
      transform.push_back(strength * std::exp(-(n - 1.5) * (n - 1.5)));
    }
  }
  return transform;
}

// Sigma * g by plain loops.
std::vector<double> Convolve(const std::vector<double>& transform,
                             const std::vector<double>& maps) {
  const auto kernel = PlainTransform(
      std::vector<std::complex<double>>(transform.begin(), transform.end()), kRes, +1);
  std::vector<double> out(maps.size());
  for (size_t at = 0; at < maps.size(); ++at) {
    const int x = static_cast<int>(at) % kSize, i = x / kRes, j = x % kRes;
    for (int p = 0; p < kRes; ++p) {
      for (int q = 0; q < kRes; ++q) {
        const int lag = (i - p + kRes) % kRes * kRes + (j - q + kRes) % kRes;
        out[at] += kernel[lag].real() / kSize * maps[at - x + p * kRes + q];
      }
    }
  }
  return out;
}

PatternOptions Options(Coupling coupling, Nonlinearity nonlinearity, int64_t steps) {
  return {.coupling = coupling,
          .nonlinearity = nonlinearity,
          .units = kUnits,
          .step_size = 0.01,
          .steps = steps,
          .seed = 3};
}

std::vector<double> Grown(const std::vector<double>& transform, const PatternOptions& options) {
  PatternFormation patterns(kRes, transform, options);
  EXPECT_FALSE(patterns.Advance(options.steps));
  return patterns.maps();
}

double Largest(const std::vector<double>& maps) {
  return std::abs(*std::ranges::max_element(maps, {}, [](double g) { return std::abs(g); }));
}

TEST(PatternFormation, StartsFromSmallNoiseOfItsSeed) {
  PatternOptions options = Options(Coupling::kNone, Nonlinearity::kTanh, 0);
  options.units = 100;
  const auto noise = Grown(RingTransform(1), options);
  double sum = 0, square = 0;
  for (const double g : noise) {
    sum += g;
    square += g * g;
  }
  const auto n = static_cast<double>(noise.size());  // 3600 values
  EXPECT_NEAR(sum / n, 0, 4e-8 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square / n), 1e-8, 0.06e-8);
  options.units = 2;
  const auto fewer = Grown(RingTransform(1), options);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), noise.begin()));
  options.seed = 4;
  EXPECT_NE(Grown(RingTransform(1), options), fewer);
}

TEST(PatternFormation, AloneAndTanhIsItsRecursion) {
  auto transform = RingTransform(20);
  const PatternOptions options = Options(Coupling::kNone, Nonlinearity::kTanh, 300);
  auto expected = Grown(transform, Options(Coupling::kNone, Nonlinearity::kTanh, 0));
  auto no_mean = transform;
  no_mean[0] = 0;
  for (int64_t step = 0; step < options.steps; ++step) {
    const auto pull = Convolve(no_mean, expected);
    for (size_t i = 0; i < pull.size(); ++i) {
      expected[i] = std::tanh(expected[i] + 0.01 * (-expected[i] + pull[i]));
    }
  }
  const auto maps = Grown(transform, options);
  EXPECT_GT(Largest(maps), 0.3) << "long enough to saturate";
  for (size_t i = 0; i < maps.size(); ++i) EXPECT_NEAR(maps[i], expected[i], 1e-9);
}

TEST(PatternFormation, AloneAndReluIsItsUnboundedRecursionUpToScale) {
  auto transform = RingTransform(20);
  const PatternOptions options = Options(Coupling::kNone, Nonlinearity::kRelu, 400);
  auto unbounded = Grown(transform, Options(Coupling::kNone, Nonlinearity::kRelu, 0));
  auto no_mean = transform;
  no_mean[0] = 0;
  for (int64_t step = 0; step < options.steps; ++step) {
    const auto pull = Convolve(no_mean, unbounded);
    for (size_t i = 0; i < pull.size(); ++i) {
      unbounded[i] = std::max(0.0, unbounded[i] + 0.01 * (-unbounded[i] + pull[i]));
    }
  }
  EXPECT_GT(Largest(unbounded), 10) << "long enough to need the bound";
  const auto maps = Grown(transform, options);
  for (int unit = 0; unit < kUnits; ++unit) {
    const auto first = static_cast<size_t>(unit) * kSize;
    const double most = *std::max_element(&unbounded[first], &unbounded[first] + kSize);
    EXPECT_EQ(*std::max_element(&maps[first], &maps[first] + kSize), 1);
    for (size_t x = first; x < first + kSize; ++x) EXPECT_NEAR(maps[x], unbounded[x] / most, 1e-9);
  }
}

class OrderedUnits : public testing::TestWithParam<Nonlinearity> {};

TEST_P(OrderedUnits, AreInhibitedByThemselvesAndThoseAfterThem) {
  auto transform = RingTransform(4);
  transform[0] = 3;  // kept
  const PatternOptions options = Options(Coupling::kOrdered, GetParam(), 400);
  auto g = Grown(transform, Options(Coupling::kOrdered, GetParam(), 0));
  for (int64_t step = 0; step < options.steps; ++step) {
    const auto h = Convolve(transform, g);
    const auto before = g;
    for (int i = 0; i < kUnits; ++i) {
      for (int x = 0; x < kSize; ++x) {
        const double own = before[i * kSize + x];
        double change =
            h[i * kSize + x] +
            (GetParam() == Nonlinearity::kTanh ? std::tanh(own) : std::max(30 * own, 0.0));
        for (int j = i; j < kUnits; ++j) {
          double overlap = 0;
          for (int z = 0; z < kSize; ++z) overlap += before[j * kSize + z] * h[i * kSize + z];
          change -= overlap * before[j * kSize + x];
        }
        g[i * kSize + x] += 0.01 * change;
      }
    }
  }
  const auto maps = Grown(transform, options);
  EXPECT_GT(Largest(maps), 0.1) << "long enough for units to meet";
  for (size_t i = 0; i < maps.size(); ++i) EXPECT_NEAR(maps[i], g[i], 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Both, OrderedUnits,
                         testing::Values(Nonlinearity::kTanh, Nonlinearity::kRelu));

TEST(PatternFormation, ComesOutTheSameInPieces) {
  const auto transform = RingTransform(20);
  for (const Coupling coupling : {Coupling::kNone, Coupling::kOrdered}) {
    const PatternOptions options = Options(coupling, Nonlinearity::kTanh, 20);
    PatternFormation pieces(kRes, transform, options);
    EXPECT_TRUE(pieces.Advance(7));
    EXPECT_TRUE(pieces.Advance(12));
    EXPECT_FALSE(pieces.Advance(100));
    EXPECT_EQ(pieces.maps(), Grown(transform, options));
  }
}

TEST(GaussianTransform, IsThePlainTransformOfTheNearestImage) {
  constexpr double kSpacing = 0.04, kSigma = 0.05;
  const auto transform = GaussianTransform(kRes, kSpacing, kSigma);
  std::vector<std::complex<double>> kernel;
  for (int i = 0; i < kRes; ++i) {
    for (int j = 0; j < kRes; ++j) {
      const double x = std::min(i, kRes - i) * kSpacing, y = std::min(j, kRes - j) * kSpacing;
      kernel.emplace_back(std::exp(-(x * x + y * y) / (2 * kSigma * kSigma)));
    }
  }
  const auto expected = PlainTransform(kernel, kRes, -1);
  for (size_t k = 0; k < transform.size(); ++k)
    EXPECT_NEAR(transform[k], expected[k].real(), 1e-12);
}

}  // namespace
}  // namespace gridsweep::theory

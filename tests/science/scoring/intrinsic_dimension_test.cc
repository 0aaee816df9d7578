#include "science/scoring/intrinsic_dimension.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace gridsweep::scoring {
namespace {

IntrinsicDimension Estimate(const std::vector<float>& points, int features) {
  const auto dimension = EstimateDimension(points, features, [] { return true; });
  EXPECT_TRUE(dimension.has_value());
  return dimension.value_or(IntrinsicDimension{});
}

// `n` points of a `dimensions`-dimensional box, bent into `features` dimensions by a smooth map.
std::vector<float> Manifold(int n, int dimensions, int features, int seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> slopes(features * dimensions);
  for (double& slope : slopes) slope = uniform(random);
  std::vector<float> points;
  for (int k = 0; k < n; ++k) {
    std::vector<double> x(dimensions);
    for (double& value : x) value = uniform(random);
    for (int f = 0; f < features; ++f) {
      double along = 0;
      for (int d = 0; d < dimensions; ++d) along += slopes[f * dimensions + d] * x[d];
      points.push_back(static_cast<float>(along + 0.1 * std::sin(2 * along)));
    }
  }
  return points;
}

// Both estimates from their definitions: all distances, sorted.
IntrinsicDimension Naive(const std::vector<float>& points, int features) {
  const int n = static_cast<int>(points.size()) / features;
  std::vector<double> ratios;
  double moments = 0;
  for (int i = 0; i < n; ++i) {
    std::vector<double> distances;
    for (int j = 0; j < n; ++j) {
      if (j == i) continue;
      double squared = 0;
      for (int f = 0; f < features; ++f) {
        const double off = static_cast<double>(points[i * features + f]) - points[j * features + f];
        squared += off * off;
      }
      distances.push_back(std::sqrt(squared));
    }
    std::ranges::sort(distances);
    ratios.push_back(distances[1] / distances[0]);
    distances.resize(std::min<size_t>(distances.size(), 100));
    double mean = 0;
    for (const double distance : distances) mean += distance / distances.size();
    moments += mean / (distances.back() - mean) / n;
  }
  std::ranges::sort(ratios);
  double xy = 0, xx = 0;
  for (int i = 0; i < static_cast<int>(0.9 * n); ++i) {
    const double x = std::log(ratios[i]), y = -std::log(1 - i / static_cast<double>(n));
    xy += x * y;
    xx += x * x;
  }
  return {xy / xx, moments};
}

TEST(IntrinsicDimension, AgreesWithItsDefinition) {
  // More than two blocks, and the last one short; fewer points than neighbours.
  for (const int n : {1300, 60}) {
    SCOPED_TRACE(n);
    const auto points = Manifold(n, 2, 17, 5);
    const IntrinsicDimension naive = Naive(points, 17), found = Estimate(points, 17);
    EXPECT_NEAR(found.two_nn, naive.two_nn, 1e-9);
    EXPECT_NEAR(found.moments, naive.moments, 1e-9);
  }
}

TEST(IntrinsicDimension, FindsTheDimensionOfAManifold) {
  for (const int dimensions : {1, 2, 3}) {
    const IntrinsicDimension found = Estimate(Manifold(3000, dimensions, 40, dimensions), 40);
    EXPECT_NEAR(found.two_nn, dimensions, 0.1 * dimensions);
    EXPECT_NEAR(found.moments, dimensions, 0.15 * dimensions);
  }
}

TEST(IntrinsicDimension, DoesNotDependOnScaleOrPlace) {
  auto points = Manifold(800, 2, 10, 7);
  const IntrinsicDimension before = Estimate(points, 10);
  for (float& x : points) x = 1024 * x;
  const IntrinsicDimension scaled = Estimate(points, 10);
  EXPECT_NEAR(scaled.two_nn, before.two_nn, 1e-9);
  EXPECT_NEAR(scaled.moments, before.moments, 1e-9);
}

TEST(IntrinsicDimension, LeavesPointsOutThatHaveAnEqual) {
  auto points = Manifold(600, 2, 10, 9);
  const IntrinsicDimension before = Estimate(points, 10);
  // A cluster of equal points far away tells nothing.
  for (int k = 0; k < 10 * 150; ++k) points.push_back(100);
  const IntrinsicDimension after = Estimate(points, 10);
  EXPECT_NEAR(after.two_nn, before.two_nn, 1e-9);
  EXPECT_NEAR(after.moments, before.moments, 1e-9);
}

TEST(IntrinsicDimension, OfASilentNetworkIsNone) {
  const IntrinsicDimension found = Estimate(std::vector<float>(300 * 4, 0.0F), 4);
  EXPECT_TRUE(std::isnan(found.two_nn));
  EXPECT_TRUE(std::isnan(found.moments));
  EXPECT_TRUE(std::isnan(Estimate(std::vector<float>(4, 1.0F), 4).two_nn));
}

TEST(IntrinsicDimension, GivesUpWhenTold) {
  int calls = 0;
  EXPECT_FALSE(EstimateDimension(Manifold(1300, 2, 5, 1), 5, [&] { return ++calls < 3; }));
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace gridsweep::scoring

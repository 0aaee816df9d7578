#include "science/scoring/population.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "science/scoring/smooth_map.h"

namespace gridsweep::scoring {
namespace {

// Seven maps of 12 x 10 bins, one of them never visited.
std::vector<double> SmoothMaps() {
  std::vector<double> all;
  for (int u = 0; u < 7; ++u) {
    std::vector<double> map;
    for (int i = 0; i < 12; ++i)
      for (int j = 0; j < 10; ++j)
        map.push_back(i == 3 && j == 4
                          ? std::nan("")
                          : std::sin(0.7 * i + 0.3 * u * j) + std::cos(0.2 * i * j - u));
    const auto smooth = SmoothMap(map, 12, 10);
    all.insert(all.end(), smooth.begin(), smooth.end());
  }
  return all;
}

// scipy 1.10: gaussian_filter(nan_to_num(map), 2, mode="reflect", truncate=4).
TEST(SmoothMap, IsScipysGaussianFilter) {
  const auto maps = SmoothMaps();
  const auto at = [&](int u, int i, int j) { return maps[u * 120 + i * 10 + j]; };
  EXPECT_NEAR(at(2, 0, 0), 0.3480087362336386, 1e-14);
  EXPECT_NEAR(at(2, 5, 7), 0.2050256541093624, 1e-14);
  EXPECT_NEAR(at(6, 11, 9), -0.04222094605613408, 1e-14);
  // Reflected again and again where a map is smaller than the filter.
  const auto tiny = SmoothMap(std::vector<double>{1, 2, 3, 5, 0, 7}, 3, 2);
  EXPECT_NEAR(tiny[0], 2.87757183, 1e-8);
  EXPECT_NEAR(tiny[5], 3.1246963, 1e-7);
}

// numpy 1.24: eigvalsh(cov(maps, rowvar=False)), and of the transpose.
TEST(ParticipationRatio, IsThatOfNumpysEigenvalues) {
  const auto maps = SmoothMaps();
  EXPECT_NEAR(ParticipationRatio(maps, 120), 1.4644374705797296, 1e-10);
  std::vector<double> transposed;
  std::vector<float> narrow;
  for (int bin = 0; bin < 120; ++bin)
    for (int u = 0; u < 7; ++u) transposed.push_back(maps[u * 120 + bin]);
  narrow.assign(transposed.begin(), transposed.end());
  EXPECT_NEAR(ParticipationRatio(transposed, 7), 1.9015334757911153, 1e-10);
  EXPECT_NEAR(ParticipationRatio(narrow, 7), 1.9015334757911153, 1e-6);
}

TEST(ParticipationRatio, OfEqualVariancesIsTheirNumber) {
  // Corners of a box in 3 of 5 dimensions: variances 1, 1, 1, 0, 0.
  std::vector<double> corners;
  for (const int a : {-1, 1})
    for (const int b : {-1, 1})
      for (const int c : {-1, 1})
        for (const int x : {a, 7, b, c, 7}) corners.push_back(x);
  EXPECT_NEAR(ParticipationRatio(corners, 5), 3, 1e-12);
  // Variances 9 and 1: (9 + 1)^2 / (81 + 1).
  EXPECT_NEAR(ParticipationRatio(std::vector<double>{3, 1, 3, -1, -3, 1, -3, -1}, 2), 100.0 / 82,
              1e-12);
}

TEST(ParticipationRatio, CountsManySamplesBlockAfterBlock) {
  // More than one block, and not a multiple of it: Gaussians of deviation 1, 2, 3 in 3 dimensions.
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  std::vector<double> samples;
  double sum[3] = {}, product[3][3] = {};
  constexpr int kSamples = 1000;
  for (int k = 0; k < kSamples; ++k) {
    double x[3];
    for (int f = 0; f < 3; ++f) {
      x[f] = (f + 1) * normal(random) + 50;
      samples.push_back(x[f]);
      sum[f] += x[f];
    }
    for (int f = 0; f < 3; ++f)
      for (int g = 0; g < 3; ++g) product[f][g] += x[f] * x[g];
  }
  double trace = 0, squares = 0;
  for (int f = 0; f < 3; ++f) {
    for (int g = 0; g < 3; ++g) {
      const double covariance = product[f][g] - sum[f] * sum[g] / kSamples;
      if (f == g) trace += covariance;
      squares += covariance * covariance;
    }
  }
  EXPECT_NEAR(ParticipationRatio(samples, 3), trace * trace / squares, 1e-9);
}

TEST(ParticipationRatio, OfEqualSamplesIsNone) {
  EXPECT_TRUE(std::isnan(ParticipationRatio(std::vector<float>(30, 0.0F), 3)));
  EXPECT_TRUE(std::isnan(ParticipationRatio(std::vector<float>(30, 2.5F), 3)));
  EXPECT_TRUE(std::isnan(ParticipationRatio(std::vector<float>(30, 2.5F), 15)));
}

TEST(Rank, IsTheNumberOfIndependentRows) {
  // numpy's matrix_rank of the smooth maps: 7. An eighth that is the sum of two adds nothing.
  auto maps = SmoothMaps();
  EXPECT_EQ(Rank(maps, 120), 7);
  for (int bin = 0; bin < 120; ++bin) maps.push_back(maps[bin] + maps[240 + bin]);
  EXPECT_EQ(Rank(maps, 120), 7);
  EXPECT_EQ(Rank(std::vector<double>(60, 0.0), 12), 0);
}

TEST(Rank, CountsSingularValuesAboveTheRoundingError) {
  // diag(1, 1e-15) of 2 x 4: the limit is 4 * 2.2e-16.
  const auto diagonal = [](double small) {
    return std::vector<double>{1, 0, 0, 0, 0, small, 0, 0};
  };
  EXPECT_EQ(Rank(diagonal(1e-15), 4), 2);
  EXPECT_EQ(Rank(diagonal(8e-16), 4), 1);
  EXPECT_EQ(Rank(std::vector<double>{1, 0, 0, 8e-16}, 2), 2);
}

}  // namespace
}  // namespace gridsweep::scoring

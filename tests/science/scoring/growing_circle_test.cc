#include "science/scoring/growing_circle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

#include "science/scoring/grid_scorer.h"
#include "tests/science/scoring/naive_scorer.h"

namespace gridsweep::scoring {
namespace {

using std::numbers::pi;
using Ratemap = std::vector<double>;

Ratemap MapOf(int n, const std::function<double(int, int)>& rate) {
  Ratemap map;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) map.push_back(static_cast<float>(rate(i, j)));
  return map;
}

Ratemap Hexagonal(int n, double spacing, double angle) {
  return MapOf(n, [=](int i, int j) {
    double sum = 0;
    for (int k = 0; k < 3; ++k) {
      const double direction = angle + k * pi / 3;
      sum += std::cos(4 * pi / std::sqrt(3.0) / spacing *
                      (i * std::cos(direction) + j * std::sin(direction)));
    }
    return std::max(0.0, sum);
  });
}

Ratemap Square(int n, double spacing) {
  return MapOf(n, [=](int i, int j) {
    return std::max(0.0, std::cos(2 * pi * i / spacing) + std::cos(2 * pi * j / spacing));
  });
}

Ratemap Noise(int n, int seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  return MapOf(n, [&](int, int) { return normal(random); });
}

double Score(const Ratemap& map, int n) { return GridScorer(n).ScoreAll(map).grid_score_60_circle; }

double Correlation(const std::vector<long double>& a, const std::vector<long double>& b) {
  long double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (size_t k = 0; k < a.size(); ++k) mean_a += a[k] / a.size(), mean_b += b[k] / a.size();
  for (size_t k = 0; k < a.size(); ++k) {
    ab += (a[k] - mean_a) * (b[k] - mean_b);
    aa += (a[k] - mean_a) * (a[k] - mean_a);
    bb += (b[k] - mean_b) * (b[k] - mean_b);
  }
  return static_cast<double>(ab / std::sqrt(aa * bb));
}

// From the definition: whole plane, one radius after the other, sums about the mean.
double NaiveScore(const std::vector<long double>& sac, int n) {
  const int side = 2 * n - 1, centre = n - 1;
  const auto at = [&](int x, int y) { return sac[(x + centre) * side + y + centre]; };
  // The central field grows until nothing is added.
  std::vector<char> field(sac.size());
  field[sac.size() / 2] = true;
  for (bool grown = true; grown;) {
    grown = false;
    for (int i = 0; i < side; ++i) {
      for (int j = 0; j < side; ++j) {
        const bool touches = (i > 0 && field[(i - 1) * side + j]) ||
                             (j > 0 && field[i * side + j - 1]) ||
                             (i < side - 1 && field[(i + 1) * side + j]) ||
                             (j < side - 1 && field[i * side + j + 1]);
        if (!field[i * side + j] && touches && sac[i * side + j] >= 0.2L) {
          field[i * side + j] = grown = true;
        }
      }
    }
  }
  const double inner = std::floor(std::sqrt(std::ranges::count(field, true) / pi));
  int width = static_cast<int>(std::round(1.8 * n));
  if (width % 2 == 0) --width;
  std::vector<double> scores;
  for (int radius = std::max(3, static_cast<int>(inner) + 1); radius <= width / 2; ++radius) {
    std::vector<double> r;
    for (int degrees = 30; degrees <= 150; degrees += 30) {
      const long double c = std::cos(degrees * pi / 180), s = std::sin(degrees * pi / 180);
      std::vector<long double> here, there;
      for (int x = -radius; x <= radius; ++x) {
        for (int y = -radius; y <= radius; ++y) {
          const double distance = std::hypot(x, y);
          if (distance <= inner + 1e-9 || distance >= radius - 1e-9) continue;
          const long double u = c * x - s * y, v = s * x + c * y;
          const int i = static_cast<int>(std::floor(u)), j = static_cast<int>(std::floor(v));
          here.push_back(at(x, y));
          there.push_back(
              (i + 1 - u) * (j + 1 - v) * at(i, j) + (u - i) * (j + 1 - v) * at(i + 1, j) +
              (i + 1 - u) * (v - j) * at(i, j + 1) + (u - i) * (v - j) * at(i + 1, j + 1));
        }
      }
      r.push_back(Correlation(here, there));
    }
    scores.push_back(std::min(r[1], r[3]) - std::max({r[0], r[2], r[4]}));
  }
  double best = -9;
  for (size_t k = 0; k + 2 < scores.size(); ++k)
    best = std::max(best, (scores[k] + scores[k + 1] + scores[k + 2]) / 3);
  return best;
}

TEST(GrowingCircle, AgreesWithItsDefinition) {
  for (const int n : {12, 20, 44}) {
    SCOPED_TRACE(n);
    for (const Ratemap& map :
         {Hexagonal(n, n / 3.0, 0.2), Hexagonal(n, n / 2.1, 0.7), Square(n, n / 3.3)}) {
      EXPECT_NEAR(Score(map, n), NaiveScore(NaiveAutocorrelogram(map, n, false), n), 1e-9);
    }
  }
}

// scipy 1.10: label, map_coordinates (order 1) and pearsonr on the autocorrelogram from
// signal.correlate2d.
TEST(GrowingCircle, AgreesWithScipy) {
  EXPECT_NEAR(Score(Hexagonal(20, 7, 0.2), 20), 1.3154778332251649, 1e-9);
  EXPECT_NEAR(Score(Square(20, 6), 20), -0.2374957069994598, 1e-9);
  const Ratemap chirp = MapOf(20, [](int i, int j) { return std::sin(0.5 * i + 0.2 * j * j); });
  EXPECT_NEAR(Score(chirp, 20), -0.016834814103351418, 1e-9);
}

TEST(GrowingCircle, TellsHexagonsFromSquares) {
  EXPECT_GT(Score(Hexagonal(44, 14, 0.3), 44), 1.2);
  EXPECT_LT(Score(Square(44, 14), 44), 0);
}

TEST(GrowingCircle, HasNoScoreWithoutACentralField) {
  // White noise: nothing beside lag 0 is above 0.2.
  EXPECT_TRUE(std::isnan(Score(Noise(44, 1), 44)));
}

TEST(GrowingCircle, HasNoScoreWhereTheCentralFieldLeavesNoRing) {
  std::vector<double> sac(87 * 87, 0.5);
  EXPECT_TRUE(std::isnan(GrowingCircleScore(sac, 44)));
}

TEST(GrowingCircle, HasNoScoreForAConstantMap) {
  EXPECT_TRUE(std::isnan(Score(Ratemap(44 * 44, 2.0), 44)));
}

}  // namespace
}  // namespace gridsweep::scoring

#include "tests/science/scoring/naive_scorer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace gridsweep::scoring {
namespace {

using Real = long double;
using Map = std::vector<Real>;

// Coefficients c with (c[k-1] + 4 c[k] + c[k+1]) / 6 = s[k], c[-1] = c[1] and
// c[N] = c[N-2], by elimination.
void SolveSpline(Real* s, int count, int stride) {
  std::vector<Real> upper(count), right(count);
  for (int k = 0; k < count; ++k) {
    const Real lower_k = k == 0 ? 0 : k == count - 1 ? 2 : 1;
    const Real upper_k = k == 0 ? 2 : k == count - 1 ? 0 : 1;
    const Real pivot = 4 - (k == 0 ? 0 : lower_k * upper[k - 1]);
    upper[k] = upper_k / pivot;
    right[k] = (6 * s[k * stride] - (k == 0 ? 0 : lower_k * right[k - 1])) / pivot;
  }
  for (int k = count - 1; k >= 0; --k)
    s[k * stride] = right[k] - (k == count - 1 ? 0 : upper[k] * s[(k + 1) * stride]);
}

Real Bspline(Real t) {
  t = std::abs(t);
  if (t < 1) return 2.0L / 3 - t * t + t * t * t / 2;
  return t < 2 ? (2 - t) * (2 - t) * (2 - t) / 6 : 0;
}

Map Rotated(const Map& map, const Map& coefficients, int side, int degrees) {
  const Real radians = degrees * std::numbers::pi_v<Real> / 180;
  const Real cosine = degrees == 90 ? 0 : std::cos(radians), sine = std::sin(radians);
  const int centre = (side - 1) / 2;
  Map turned(map.size());
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      const Real x = cosine * (i - centre) + sine * (j - centre) + centre;
      const Real y = cosine * (j - centre) - sine * (i - centre) + centre;
      if (x < 0 || y < 0 || x > side - 1 || y > side - 1) continue;
      const auto mirrored = [&](int k) { return k < 0 ? -k : k >= side ? 2 * side - 2 - k : k; };
      Real sum = 0;
      for (int p = static_cast<int>(x) - 1; p <= static_cast<int>(x) + 2; ++p)
        for (int q = static_cast<int>(y) - 1; q <= static_cast<int>(y) + 2; ++q)
          sum += Bspline(x - p) * Bspline(y - q) * coefficients[mirrored(p) * side + mirrored(q)];
      turned[i * side + j] = sum;
    }
  }
  return turned;
}

}  // namespace

std::vector<long double> NaiveAutocorrelogram(std::span<const double> ratemap, int n,
                                              bool mask_unvisited) {
  Map sac;
  for (int i = 1 - n; i < n; ++i) {
    for (int j = 1 - n; j < n; ++j) {
      std::vector<Real> a, b;
      for (int x = std::max(0, -i); x < std::min(n, n - i); ++x) {
        for (int y = std::max(0, -j); y < std::min(n, n - j); ++y) {
          const double here = ratemap[x * n + y], there = ratemap[(x + i) * n + y + j];
          if (mask_unvisited && (std::isnan(here) || std::isnan(there))) continue;
          a.push_back(std::isnan(here) ? 0 : here);
          b.push_back(std::isnan(there) ? 0 : there);
        }
      }
      Real mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
      for (size_t k = 0; k < a.size(); ++k) mean_a += a[k] / a.size(), mean_b += b[k] / a.size();
      for (size_t k = 0; k < a.size(); ++k) {
        ab += (a[k] - mean_a) * (b[k] - mean_b);
        aa += (a[k] - mean_a) * (a[k] - mean_a);
        bb += (b[k] - mean_b) * (b[k] - mean_b);
      }
      const auto constant = [](const std::vector<Real>& v) {
        return v.empty() || std::ranges::max(v) == std::ranges::min(v);
      };
      sac.push_back(constant(a) || constant(b) ? 0 : ab / (std::sqrt(aa) * std::sqrt(bb)));
    }
  }
  return sac;
}

NaiveScores NaiveScore(std::span<const double> ratemap, int n, bool mask_unvisited) {
  const int side = 2 * n - 1;
  const Map sac = NaiveAutocorrelogram(ratemap, n, mask_unvisited);
  Map coefficients = sac;
  for (int i = 0; i < side; ++i) SolveSpline(coefficients.data() + i * side, side, 1);
  for (int j = 0; j < side; ++j) SolveSpline(coefficients.data() + j, side, side);
  std::map<int, Map> turned;
  for (const int degrees : {30, 45, 60, 90, 120, 135, 150})
    turned[degrees] = Rotated(sac, coefficients, side, degrees);

  NaiveScores scores;
  for (int m = 0; m < 10; ++m) {
    const Real outer = (0.4L + 0.6L * m / 9) * n + 1e-9L, inner = 0.2L * n + 1e-9L;
    std::vector<int> ring;
    for (int k = 0; k < side * side; ++k) {
      const Real r = std::hypot(static_cast<Real>(k / side - n + 1), k % side - n + 1);
      if (r > inner && r <= outer) ring.push_back(k);
    }
    Real mean = 0, variance = 0;
    for (const int k : ring) mean += sac[k] / ring.size();
    for (const int k : ring) variance += (sac[k] - mean) * (sac[k] - mean);
    std::map<int, Real> corr;
    for (const auto& [degrees, map] : turned) {
      Real sum = 0;
      for (const int k : ring) sum += (sac[k] - mean) * (map[k] - mean);
      corr[degrees] = sum / (variance + ring.size() * 1e-5L);
    }
    scores.mask_60[m] = static_cast<double>(std::min(corr[60], corr[120]) -
                                            std::max({corr[30], corr[90], corr[150]}));
    scores.mask_60_means[m] =
        static_cast<double>((corr[60] + corr[120]) / 2 - (corr[30] + corr[90] + corr[150]) / 3);
    scores.mask_90[m] = static_cast<double>(corr[90] - (corr[45] + corr[135]) / 2);
  }
  return scores;
}

}  // namespace gridsweep::scoring

#include "science/scoring/growing_circle.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "science/scoring/fields.h"

namespace gridsweep::scoring {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kCentralField = 0.2;
constexpr double kWidth = 1.8;  // of the part of the SAC that is used, in sides of the map
constexpr int kSmallestRadius = 3, kWindow = 3, kTurns = 5;

// Sums over the lags of a ring: of the SAC s, and of it turned (t).
struct Sums {
  double count = 0, s = 0, ss = 0;
  std::array<double, kTurns> t{}, tt{}, st{};
};

class Sac {
 public:
  Sac(std::span<const double> values, int nbins)
      : centre_(values.data() + 2 * (nbins - 1) * nbins), side_(2 * nbins - 1) {}

  double At(int x, int y) const { return centre_[x * side_ + y]; }
  double Between(double x, double y) const {
    const int i = static_cast<int>(std::floor(x)), j = static_cast<int>(std::floor(y));
    const double u = x - i, v = y - j;
    return (1 - u) * ((1 - v) * At(i, j) + v * At(i, j + 1)) +
           u * ((1 - v) * At(i + 1, j) + v * At(i + 1, j + 1));
  }

 private:
  const double* centre_;
  int side_;
};

int CentralRadius(std::span<const double> sac, int nbins) {
  const int side = 2 * nbins - 1;
  std::vector<char> inside(sac.size());
  for (size_t i = 0; i < sac.size(); ++i) inside[i] = sac[i] >= kCentralField;
  const Field centre = TakeConnected(static_cast<int>(sac.size() / 2), side, side, inside);
  return static_cast<int>(std::sqrt(static_cast<double>(centre.size()) / std::numbers::pi));
}

// Gridness of what is summed; NaN where the SAC or a turn of it is constant.
double Gridness(const Sums& sums) {
  std::array<double, kTurns> r;
  const auto spread = [&](double sum, double squares) {
    const double spread_of = sums.count * squares - sum * sum;
    return spread_of > 1e-12 * sums.count * squares ? spread_of : kNaN;
  };
  for (int turn = 0; turn < kTurns; ++turn) {
    r[turn] = (sums.count * sums.st[turn] - sums.s * sums.t[turn]) /
              std::sqrt(spread(sums.s, sums.ss) * spread(sums.t[turn], sums.tt[turn]));
    if (std::isnan(r[turn])) return kNaN;
  }
  return std::min(r[1], r[3]) - std::max({r[0], r[2], r[4]});
}

}  // namespace

double GrowingCircleScore(std::span<const double> values, int nbins) {
  const int inner = CentralRadius(values, nbins);
  const int outer = (static_cast<int>(std::lround(kWidth * nbins)) - 1) / 2;
  if (inner == 0 || inner >= outer) return kNaN;

  // Rings of lags that radius R is the first to hold. Half of the plane: the other half is equal.
  const Sac sac(values, nbins);
  std::vector<Sums> rings(outer + 1);
  const double cos_30 = std::sqrt(3.0) / 2, sin_30 = 0.5;
  for (int x = 0; x < outer; ++x) {
    for (int y = x == 0 ? 1 : 1 - outer; y < outer; ++y) {
      const int r2 = x * x + y * y;
      if (r2 <= inner * inner || r2 >= outer * outer) continue;
      Sums& ring = rings[static_cast<int>(std::sqrt(r2)) + 1];
      const double u = cos_30 * x - sin_30 * y, v = sin_30 * x + cos_30 * y;  // by 30 degrees
      const double p = sin_30 * x - cos_30 * y, q = cos_30 * x + sin_30 * y;  // by 60
      const double s = sac.At(x, y);
      const std::array<double, kTurns> turned = {sac.Between(u, v), sac.Between(p, q),
                                                 sac.At(-y, x), sac.Between(-v, u),
                                                 sac.Between(-q, p)};
      ring.count += 1;
      ring.s += s;
      ring.ss += s * s;
      for (int turn = 0; turn < kTurns; ++turn) {
        ring.t[turn] += turned[turn];
        ring.tt[turn] += turned[turn] * turned[turn];
        ring.st[turn] += s * turned[turn];
      }
    }
  }
  std::vector<double> scores;
  Sums sums;
  for (int radius = inner + 1; radius <= outer; ++radius) {
    const Sums& ring = rings[radius];
    sums.count += ring.count;
    sums.s += ring.s;
    sums.ss += ring.ss;
    for (int turn = 0; turn < kTurns; ++turn) {
      sums.t[turn] += ring.t[turn];
      sums.tt[turn] += ring.tt[turn];
      sums.st[turn] += ring.st[turn];
    }
    if (radius >= kSmallestRadius) scores.push_back(Gridness(sums));
  }
  double best = kNaN;
  for (size_t first = 0; first == 0 || first + kWindow <= scores.size(); ++first) {
    double sum = 0;
    int count = 0;
    for (size_t i = first; i < std::min(first + kWindow, scores.size()); ++i) {
      if (std::isnan(scores[i])) continue;
      sum += scores[i];
      ++count;
    }
    if (count > 0) best = std::fmax(best, sum / count);
  }
  return best;
}

}  // namespace gridsweep::scoring

#include "science/scoring/smooth_map.h"

#include <array>
#include <cmath>

namespace gridsweep::scoring {
namespace {

constexpr int kRadius = 8;
// exp(-k^2 / 8), written out: libraries differ in the last bit, and where a map is flat the last
// bit decides which way its ascent goes.
constexpr std::array<double, kRadius + 1> kGaussian = {1.0,
                                                       0.8824969025845955,
                                                       0.6065306597126334,
                                                       0.32465246735834974,
                                                       0.1353352832366127,
                                                       0.04393693362340742,
                                                       0.011108996538242306,
                                                       0.002187491118182885,
                                                       0.00033546262790251185};

// The bin of an axis that lies at `i` when the axis is continued by reflection.
int Reflected(int i, int bins) {
  const int period = 2 * bins;
  i = (i % period + period) % period;
  return i < bins ? i : period - 1 - i;
}

// Filters `count` lines of `bins` values, `step` apart, that start `line_step` apart.
void FilterLines(std::vector<double>& map, int count, int line_step, int bins, int step) {
  static const auto weights = [] {
    std::array<double, kRadius + 1> w = kGaussian;
    double sum = 0;
    for (const double weight : kGaussian) sum += 2 * weight;
    for (double& weight : w) weight /= sum - kGaussian[0];
    return w;
  }();
  std::vector<double> continued(bins + 2 * kRadius);
  for (int line = 0; line < count; ++line) {
    double* at = map.data() + static_cast<ptrdiff_t>(line) * line_step;
    for (int i = -kRadius; i < bins + kRadius; ++i)
      continued[i + kRadius] = at[Reflected(i, bins) * step];
    for (int i = 0; i < bins; ++i) {
      const double* centre = continued.data() + i + kRadius;
      double sum = weights[0] * centre[0];
      for (int k = 1; k <= kRadius; ++k) sum += weights[k] * (centre[-k] + centre[k]);
      at[i * step] = sum;
    }
  }
}

}  // namespace

std::vector<double> SmoothMap(std::span<const double> ratemap, int nx, int ny) {
  std::vector<double> map(ratemap.begin(), ratemap.end());
  for (double& rate : map)
    if (std::isnan(rate)) rate = 0;
  FilterLines(map, ny, 1, nx, ny);
  FilterLines(map, nx, ny, ny, 1);
  return map;
}

}  // namespace gridsweep::scoring

#include "science/scoring/period.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace gridsweep::scoring {
namespace {

constexpr int kNearest = 6;

struct Peak {
  int distance_squared;
  double value;
  int x, y;
};

bool IsPeak(const double* at, int side) {
  const double v = *at;
  return v >= at[-1] && v >= at[1] && v >= at[-side] && v >= at[side] && v >= at[-side - 1] &&
         v >= at[-side + 1] && v >= at[side - 1] && v >= at[side + 1];
}

}  // namespace

Period FindPeaks(std::span<const double> correlation, int nbins) {
  const int side = 2 * nbins - 1, centre = nbins - 1;
  const double lowest = *std::min_element(correlation.begin(), correlation.end());

  std::vector<Peak> peaks;
  for (int i = 1; i < side - 1; ++i) {
    for (int j = 1; j < side - 1; ++j) {
      const double* at = correlation.data() + i * side + j;
      const int x = i - centre, y = j - centre;
      if (IsPeak(at, side) && *at > lowest && (x != 0 || y != 0))
        peaks.push_back({x * x + y * y, *at, x, y});
    }
  }
  // Found in row-major order, which a stable sort keeps among equals.
  std::stable_sort(peaks.begin(), peaks.end(), [](const Peak& a, const Peak& b) {
    return a.distance_squared != b.distance_squared ? a.distance_squared < b.distance_squared
                                                    : a.value > b.value;
  });
  if (peaks.size() > kNearest) peaks.resize(kNearest);

  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Period period{nan, nan, {}};
  period.orientations_rad.fill(nan);
  if (peaks.empty()) return period;
  const auto count = static_cast<double>(peaks.size());
  double sum = 0, squares = 0;
  for (const Peak& peak : peaks) sum += std::sqrt(peak.distance_squared);
  period.period_bins = sum / count;
  for (size_t k = 0; k < peaks.size(); ++k) {
    const double off = std::sqrt(peaks[k].distance_squared) - period.period_bins;
    squares += off * off;
    period.orientations_rad[k] = std::atan2(peaks[k].y, peaks[k].x);
  }
  period.period_error_bins = std::sqrt(squares / count);
  return period;
}

}  // namespace gridsweep::scoring

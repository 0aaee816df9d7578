#include "science/scoring/period.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace gridsweep::scoring {
namespace {

constexpr int kNearest = 6;

struct Peak {
  int distance_squared;
  double value;
  int x, y;
};

// Largest of each value and its two neighbours in a row; ends are left out.
void RowMaxima(const double* __restrict row, int side, double* __restrict maxima) {
  for (int j = 1; j < side - 1; ++j) {
    const double pair = row[j - 1] > row[j] ? row[j - 1] : row[j];
    maxima[j] = pair > row[j + 1] ? pair : row[j + 1];
  }
}

// Keeps the smaller of each value and the one before.
void RowMinima(const double* __restrict row, int side, double* __restrict minima) {
  for (int j = 0; j < side; ++j) minima[j] = row[j] < minima[j] ? row[j] : minima[j];
}

}  // namespace

Period FindPeaks(std::span<const double> correlation, int nbins) {
  const int side = 2 * nbins - 1, centre = nbins - 1;
  // Half of the rows suffice: what lies below the centre lies opposite above too.
  std::vector<double> minima(side, std::numeric_limits<double>::infinity());
  for (int i = centre; i < side; ++i) RowMinima(correlation.data() + i * side, side, minima.data());
  const double lowest = *std::ranges::min_element(minima);

  std::vector<Peak> below;
  std::vector<double> maxima(3 * side);
  double *above = maxima.data(), *here = above + side, *under = here + side;
  RowMaxima(correlation.data() + (centre - 1) * side, side, above);
  RowMaxima(correlation.data() + centre * side, side, here);
  for (int x = 0; x < centre; ++x) {
    const double* row = correlation.data() + (centre + x) * side;
    RowMaxima(row + side, side, under);
    for (int j = x == 0 ? centre + 1 : 1; j < side - 1; ++j) {
      // No short circuit: the branch is then taken as seldom as there are peaks.
      if ((row[j] >= here[j]) & (row[j] >= above[j]) & (row[j] >= under[j]) & (row[j] > lowest))
        below.push_back({x * x + (j - centre) * (j - centre), row[j], x, j - centre});
    }
    std::swap(above, here);
    std::swap(here, under);
  }
  std::vector<Peak> peaks = below;
  for (const Peak& peak : below)
    peaks.push_back({peak.distance_squared, peak.value, -peak.x, -peak.y});
  const auto nearer = [](const Peak& a, const Peak& b) {
    // Among equally near ones the larger first, then in row-major order.
    return std::tie(a.distance_squared, b.value, a.x, a.y) <
           std::tie(b.distance_squared, a.value, b.x, b.y);
  };
  const auto kept = std::min<size_t>(peaks.size(), kNearest);
  std::partial_sort(peaks.begin(), peaks.begin() + kept, peaks.end(), nearer);
  peaks.resize(kept);

  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Period period{nan, nan, {}, {}};
  period.peaks_bins.fill({nan, nan});
  period.orientations_rad.fill(nan);
  if (peaks.empty()) return period;
  const auto count = static_cast<double>(peaks.size());
  double sum = 0, squares = 0;
  for (const Peak& peak : peaks) sum += std::sqrt(peak.distance_squared);
  period.period_bins = sum / count;
  for (size_t k = 0; k < peaks.size(); ++k) {
    const double off = std::sqrt(peaks[k].distance_squared) - period.period_bins;
    squares += off * off;
    period.peaks_bins[k] = {static_cast<double>(peaks[k].x), static_cast<double>(peaks[k].y)};
    period.orientations_rad[k] = std::atan2(peaks[k].y, peaks[k].x);
  }
  period.period_error_bins = std::sqrt(squares / count);
  return period;
}

}  // namespace gridsweep::scoring

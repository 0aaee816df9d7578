#include "science/scoring/unit_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gridsweep::scoring {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}

double MeanRate(std::span<const double> ratemap) {
  double sum = 0;
  int visited = 0;
  for (const double rate : ratemap) {
    if (std::isnan(rate)) continue;
    sum += rate;
    ++visited;
  }
  return visited == 0 ? kNaN : sum / visited;
}

double PeakRate(std::span<const double> ratemap) {
  double peak = kNaN;
  for (const double rate : ratemap) peak = std::fmax(peak, rate);
  return peak;
}

double SpatialInformation(std::span<const double> ratemap, std::span<const int64_t> occupancy) {
  double lowest = 0;
  int64_t visits = 0;
  for (size_t i = 0; i < ratemap.size(); ++i) {
    if (std::isnan(ratemap[i])) continue;
    lowest = std::min(lowest, ratemap[i]);
    visits += occupancy[i];
  }
  double mean = 0;
  for (size_t i = 0; i < ratemap.size(); ++i)
    if (!std::isnan(ratemap[i]))
      mean += static_cast<double>(occupancy[i]) / visits * (ratemap[i] - lowest);
  if (!(mean > 0)) return kNaN;
  double bits = 0;
  for (size_t i = 0; i < ratemap.size(); ++i) {
    const double ratio = (ratemap[i] - lowest) / mean;
    // r log r tends to 0 with r; NaN fails the comparison too.
    if (ratio > 0) bits += static_cast<double>(occupancy[i]) / visits * ratio * std::log2(ratio);
  }
  return bits;
}

}  // namespace gridsweep::scoring

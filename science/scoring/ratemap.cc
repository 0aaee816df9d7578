#include "science/scoring/ratemap.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gridsweep::scoring {
namespace {

// numpy.linspace(-length/2, length/2, bins + 1), to the bit.
std::vector<double> Edges(int bins, double length) {
  const double start = -length / 2, stop = length / 2, step = (stop - start) / bins;
  std::vector<double> edges(bins + 1);
  for (int i = 0; i < bins; ++i) edges[i] = i * step + start;
  edges[bins] = stop;
  return edges;
}

// Bin of `x`, or -1. NaN is outside.
int BinOf(const std::vector<double>& edges, double x) {
  if (!(x >= edges.front() && x <= edges.back())) return -1;
  const auto bins = static_cast<int>(edges.size()) - 1;
  const auto above = std::upper_bound(edges.begin(), edges.end(), x) - edges.begin();
  return std::min(static_cast<int>(above) - 1, bins - 1);
}

}  // namespace

BinGrid::BinGrid(int bins_x, int bins_y, double width_m, double height_m)
    : nx(bins_x), ny(bins_y), x_edges(Edges(bins_x, width_m)), y_edges(Edges(bins_y, height_m)) {}

int BinGrid::Index(double x, double y) const {
  const int i = BinOf(x_edges, x), j = BinOf(y_edges, y);
  return i < 0 || j < 0 ? -1 : i * ny + j;
}

RatemapAccumulator::RatemapAccumulator(BinGrid grid, int units)
    : grid_(std::move(grid)),
      units_(units),
      occupancy_(static_cast<size_t>(grid_.nx) * grid_.ny),
      sums_(occupancy_.size() * units) {}

void RatemapAccumulator::Add(std::span<const double> positions, std::span<const float> activity) {
  const size_t samples = positions.size() / 2;
  for (size_t k = 0; k < samples; ++k) {
    const int bin = grid_.Index(positions[2 * k], positions[2 * k + 1]);
    if (bin < 0) continue;
    ++occupancy_[bin];
    double* sum = sums_.data() + static_cast<size_t>(bin) * units_;
    const float* rate = activity.data() + k * units_;
    for (int unit = 0; unit < units_; ++unit) sum[unit] += rate[unit];
  }
}

std::vector<double> RatemapAccumulator::Ratemaps() const {
  const size_t bins = occupancy_.size();
  std::vector<double> maps(bins * units_, std::numeric_limits<double>::quiet_NaN());
  for (size_t bin = 0; bin < bins; ++bin) {
    if (occupancy_[bin] == 0) continue;
    const auto visits = static_cast<double>(occupancy_[bin]);
    for (int unit = 0; unit < units_; ++unit)
      maps[unit * bins + bin] = sums_[bin * units_ + unit] / visits;
  }
  return maps;
}

}  // namespace gridsweep::scoring

// Ratemaps: mean activity by position, and how often each place was visited.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gridsweep::scoring {

// Bins of a box centred on the origin. Bin i of an axis of length L covers
// [edge_i, edge_i+1), the last one its right edge too; edges are
// linspace(-L/2, L/2, n + 1), compared, never divided. Source: docs/science.md,
// "Ratemaps and grid scores".
struct BinGrid {
  BinGrid(int nx, int ny, double width_m, double height_m);

  // Row-major bin of a position (first index x), or -1 outside the box.
  int Index(double x, double y) const;

  int nx, ny;
  std::vector<double> x_edges, y_edges;  // metres
};

// Sums activity of many units over bins. All in float64.
class RatemapAccumulator {
 public:
  RatemapAccumulator(BinGrid grid, int units);

  // Adds samples: positions [n, 2] metres, activity [n, units] row-major.
  // Samples outside the box are left out.
  void Add(std::span<const double> positions, std::span<const float> activity);

  // Visits of each bin, [nx * ny].
  const std::vector<int64_t>& occupancy() const { return occupancy_; }
  // Mean activity [units, nx * ny]; NaN where a bin was never visited.
  std::vector<double> Ratemaps() const;
  const BinGrid& grid() const { return grid_; }
  int units() const { return units_; }

 private:
  BinGrid grid_;
  int units_;
  std::vector<int64_t> occupancy_;
  std::vector<double> sums_;  // [nx * ny, units]
};

}  // namespace gridsweep::scoring

// A Gaussian filter for ratemaps.
#pragma once

#include <span>
#include <vector>

namespace gridsweep::scoring {

// `ratemap` [nx, ny] with unvisited bins (NaN) as 0, filtered along both axes by a Gaussian of
// sigma 2 bins that ends at 8, the map continued by reflection about its edges (b a | a b).
std::vector<double> SmoothMap(std::span<const double> ratemap, int nx, int ny);

}  // namespace gridsweep::scoring

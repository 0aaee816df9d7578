// Metrics of one unit's ratemap beside its grid scores (docs/science.md, "Ratemaps and
// grid scores").
#pragma once

#include <cstdint>
#include <span>

namespace gridsweep::scoring {

// Mean and maximum over visited bins (NaN = unvisited); NaN when none was visited.
double MeanRate(std::span<const double> ratemap);
double PeakRate(std::span<const double> ratemap);

// Spatial information, bits/spike (Skaggs et al. 1993): sum of p_i r_i/r log2(r_i/r)
// with p_i the share of time in bin i and r = sum p_i r_i. A map with negative
// rates is used after subtracting its minimum. NaN when r is 0.
//   ratemap    [bins], NaN = unvisited
//   occupancy  [bins], visits
double SpatialInformation(std::span<const double> ratemap, std::span<const int64_t> occupancy);

}  // namespace gridsweep::scoring

// The grid score of a circle that grows round the centre of the autocorrelogram. Source:
// docs/science.md, "Two more definitions of gridness" (after opexebo, the Moser group's package).
#pragma once

#include <span>

namespace gridsweep::scoring {

// `sac` [2n-1, 2n-1], point-symmetric, all finite. The central field are the 4-connected lags round
// lag 0 of at least 0.2; c is floor(sqrt(their number / pi)). For each whole radius R from
// max(3, c + 1) to (round(1.8 n) - 1) / 2 the SAC is correlated (Pearson) with itself turned by 30,
// 60, 90, 120 and 150 degrees (bilinear interpolation) over the lags c < r < R, and min(60, 120) -
// max(30, 90, 150) taken. The score is the largest mean of three neighbouring radii.
//
// NaN where the central field is smaller than 4 lags or leaves no radius.
double GrowingCircleScore(std::span<const double> sac, int nbins);

}  // namespace gridsweep::scoring

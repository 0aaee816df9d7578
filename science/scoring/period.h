// Period and orientations of a plain autocorrelation.
#pragma once

#include <span>

#include "science/scoring/grid_scorer.h"

namespace gridsweep::scoring {

// `correlation` [2n-1, 2n-1], row-major, point-symmetric.
Period FindPeaks(std::span<const double> correlation, int nbins);

}  // namespace gridsweep::scoring

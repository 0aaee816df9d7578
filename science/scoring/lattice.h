// What the six nearest peaks of a map's autocorrelation say of its lattice. Source:
// docs/science.md, "Other metrics of a unit".
#pragma once

#include <span>

#include "science/scoring/grid_scorer.h"

namespace gridsweep::scoring {

// Circular standard deviation of the peaks' directions modulo 60 degrees: sqrt(-2 ln |mean of
// exp(6 i angle)|) / 6, radians. 0 for a hexagonal lattice, whatever its orientation. NaN with
// fewer than six peaks.
double OrientationSpread(const Period& period);

// Where a lattice has its nodes, as shares of its unit cell, in [0, 1).
struct GridPhase {
  double x, y;
};

// The node of the lattice at box centre + x a + y b. The axes a and b are the first two, by angle
// from the first index's axis on, of the three shortest lattice vectors that the peaks give
// (a, b and b - a, fitted by least squares). x and y are the phases of the map's Fourier components
// at the two reciprocal vectors, over 2 pi; the map is used over its visited bins, less their mean.
//   ratemap  [nbins, nbins], NaN = unvisited
// NaN where the peaks do not span a lattice.
GridPhase PhaseOf(std::span<const double> ratemap, int nbins, const Period& period);

}  // namespace gridsweep::scoring

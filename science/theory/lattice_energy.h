// The position-encoding energy of lattices of plane waves: which one a ring favours.
// Source: docs/science.md, "Theory" (Schaeffer et al. 2022, after Sorscher et al. 2019).
#pragma once

#include <span>
#include <vector>

#include "science/theory/lattice.h"

namespace gridsweep::theory {

// L = gT Sigma g + lambda (1 - gT g) + sigma_0 g^3 for a map g of unit length:
// quadratic + sigma_0 * cubic. All three lattices have about the same quadratic
// part, so that the cubic one, which stands for non-negativity, decides.
struct LatticeEnergy {
  Lattice lattice;
  double quadratic;  // gT Sigma g, in the unit of the spectrum
  // Mean of g^3 where the mean of g^2 is 1: sqrt(2/3) for hexagons, whose three
  // waves close a triangle, 0 for squares and stripes.
  double cubic;
  double direction;  // of the first wave, radians; the one with the largest quadratic part
};

// g = sum of cos(k . x) over waves of length `wavenumber` 60, 90 and 180
// degrees apart, its mean taken off, on a [res, res] lattice with this spectrum
// and mode step (rad/m). Directions are tried every 3 degrees. One energy for
// each lattice, in the order above.
std::vector<LatticeEnergy> LatticeEnergies(std::span<const double> spectrum, int res, double step,
                                           double wavenumber);

}  // namespace gridsweep::theory

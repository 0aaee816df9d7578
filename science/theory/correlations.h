// How a readout's outputs correlate between places: Sigma and its spectrum.
#pragma once

#include <cstdint>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::theory {

// y(x) at every point x of a square lattice over a square box, both edges
// included: point (i, j) is (-side/2 + i * spacing, -side/2 + j * spacing).
struct Responses {
  int res;      // points a side
  double side;  // of the box, metres
  int64_t cells;
  std::vector<float> values;  // [res, res, cells]: what a network is trained to put out

  double spacing() const { return side / (res - 1); }
  // Wavenumbers are whole multiples of this in each direction, rad/m: the
  // transform's period is `res` spacings.
  double wavenumber_step() const;
};

// Preconditions: a place-cell readout, a square box, res >= 2.
Responses RespondOnLattice(const science::RunConfig& config, int res);

// Sigma(x, x') = sum over cells of y(x) y(x'), summed over the res^2 cyclic
// shifts that take x' - x to the same lag.
struct Correlations {
  std::vector<double> sigma;     // [res, res], zero lag at (res/2, res/2)
  std::vector<double> spectrum;  // [res, res], Sigma's transform, zero mode at (0, 0), set to 0
};
Correlations Correlate(const Responses& responses);

// The `count` leading eigenvectors of Sigma(x, x') before that sum, on what
// remains of it when each cell's mean over the lattice is taken off (as the
// spectrum's zero mode is), largest first. Fewer where there are fewer cells.
struct Eigenmaps {
  std::vector<double> values;
  std::vector<double> maps;  // [count, res, res], unit length, largest entry positive
};
Eigenmaps TopEigenmaps(const Responses& responses, int count);

}  // namespace gridsweep::theory

// What the theory says of one readout, before any network is trained.
#pragma once

#include <absl/status/statusor.h>

#include <vector>

#include "science/config/run_config.h"
#include "science/theory/closed_form.h"
#include "science/theory/correlations.h"
#include "science/theory/lattice_energy.h"
#include "science/theory/ring.h"

namespace gridsweep::theory {

struct TheoryOptions {
  int res = 55;       // lattice points a side, kMinRes .. kMaxRes
  int eigenmaps = 8;  // 0 .. kMaxEigenmaps
};
inline constexpr int kMinRes = 16, kMaxRes = 101, kMaxEigenmaps = 32;

struct ReadoutTheory {
  double spacing, wavenumber_step;  // of the lattice, m, and of its modes, rad/m
  Correlations correlations;
  RadialSpectrum radial;
  Rings rings;
  ClosedForms closed_forms;
  std::vector<LatticeEnergy> energies;  // at the local ring; empty where there is none
  Eigenmaps eigenmaps;
};

// Takes a fraction of a second for 512 cells, most of it for the eigenmaps
// (cubic in the cells). Preconditions: CheckConfig found nothing, options in range.
// Errors: INVALID_ARGUMENT, "parameter: why": no place cells (other outputs do
// not correlate by distance), a box that is not square, more than 2,048 cells,
// outputs that are the same everywhere.
absl::StatusOr<ReadoutTheory> PredictLattice(const science::RunConfig& config,
                                             const TheoryOptions& options);

}  // namespace gridsweep::theory

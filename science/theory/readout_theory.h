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

// Why `config` has no theory, or OK: it needs place cells (the others' outputs
// do not correlate by distance), a square box, and at most 2,048 cells.
// INVALID_ARGUMENT whose message begins with the parameter.
absl::Status CheckTheory(const science::RunConfig& config);

// Preconditions: CheckTheory(config) is OK, options in range. Takes a fraction
// of a second for 512 cells, most of it for the eigenmaps (cubic in the cells).
ReadoutTheory PredictLattice(const science::RunConfig& config, const TheoryOptions& options);

}  // namespace gridsweep::theory

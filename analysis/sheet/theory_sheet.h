// What the theory says of readouts as one picture, a row a readout.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "science/theory/readout_theory.h"

namespace gridsweep::analysis {

// Maps that grew from noise, under one caption.
struct PatternStrip {
  struct Unit {
    std::string label;  // short: it stands above a map
    std::vector<float> map;
  };
  std::string caption;
  std::vector<Unit> units;
};

struct TheoryRow {
  std::string heading;
  int res;  // lattice points a side
  theory::ReadoutTheory theory;
  std::vector<PatternStrip> patterns;
};

// Of each readout: Sigma against lag, |Sigma~| of the low modes, |Sigma~| by
// wavenumber on a scale of four decades with the closed forms, eigenvectors
// (12 at most, each from its minimum to its maximum), and below them the first
// units of each strip. The picture as PNG bytes. Errors: INVALID_ARGUMENT
// without rows.
absl::StatusOr<std::string> DrawTheorySheet(const std::vector<TheoryRow>& rows);

}  // namespace gridsweep::analysis

// How two scores of units go together: counts on a lattice of both.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct JointCount {
  std::vector<v1::GroupValue> key;
  double score_60, score_90;  // lower edges of the cell [edge, edge + side)
  int64_t units;
};

// Units with both grid scores, counted in cells of `side` by group; cells
// without a unit are left out. At most one unit in each of (4 / side)^2 cells
// matters to the size of the answer, whatever the number of units.
// Errors: NOT_FOUND for a sweep that does not exist.
absl::StatusOr<std::vector<JointCount>> ReadJointScores(Snapshot& snapshot,
                                                        const Selection& selection, double side);

}  // namespace gridsweep::analysis

// Percentiles of single runs' scores beside their loss.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct RunScores {
  int64_t run_id;
  std::vector<v1::GroupValue> key;
  double loss;
  // At each of the asked percentiles, by linear interpolation over the units
  // that have a score.
  std::vector<double> score_60, score_90;
};

// Runs with a loss and a scored unit, in their order.
//   quantiles  in [0, 1]
// Errors: NOT_FOUND for a sweep that does not exist; RESOURCE_EXHAUSTED for
// more than `limit` runs.
absl::StatusOr<std::vector<RunScores>> ReadRunScores(Snapshot& snapshot, const Selection& selection,
                                                     const std::vector<double>& quantiles,
                                                     int64_t limit);

}  // namespace gridsweep::analysis

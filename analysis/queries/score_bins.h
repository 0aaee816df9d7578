// Histograms of scores by group.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

struct ScoreBins {
  v1::Group group;             // coverage complete
  std::vector<int64_t> units;  // [science::kScoreBins], without those that have no score
};

// From the rollups, groups in the order of their keys. Precondition: a binned metric.
// Errors: NOT_FOUND for a sweep that does not exist; DATA_LOSS when a finished
// run has no rollup.
absl::StatusOr<std::vector<ScoreBins>> ReadScoreBins(Snapshot& snapshot, const Selection& selection,
                                                     const science::Metric& metric);

}  // namespace gridsweep::analysis

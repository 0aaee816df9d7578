// Several metrics of single units, of those that score high enough.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct UnitValues {
  int64_t run_id;
  std::vector<v1::GroupValue> key;
  std::vector<std::optional<double>> values;  // of `metrics`, in their order
};

// Units with grid_score_60 > `above`, ordered by run and unit.
//   metrics  names of unit metrics (science::Metrics)
// Errors: NOT_FOUND for a sweep that does not exist; RESOURCE_EXHAUSTED for
// more than `limit` units.
absl::StatusOr<std::vector<UnitValues>> ReadUnitsAbove(Snapshot& snapshot,
                                                       const Selection& selection, double above,
                                                       const std::vector<std::string_view>& metrics,
                                                       int64_t limit);

}  // namespace gridsweep::analysis

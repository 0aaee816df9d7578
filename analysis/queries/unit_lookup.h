// Where the arrays of given units are.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "analysis/queries/database.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct LocatedUnit {
  v1::UnitRef ref;
  int64_t sweep_id = 0;
  std::string readout;
  std::string artifact;  // SHA-256, 32 raw bytes
  std::optional<double> grid_score_60, grid_score_90;
};

// In the order of `refs`. Errors: NOT_FOUND naming the first that does not
// exist, has no result yet, or whose run diverged (such a run has no arrays).
absl::StatusOr<std::vector<LocatedUnit>> LocateUnits(Snapshot& snapshot,
                                                     const std::vector<v1::UnitRef>& refs);

// The database's identity, which the artifact directory's marker must name.
// UNAVAILABLE until the schema is there, whole.
absl::StatusOr<std::string> ReadInstanceId(Snapshot& snapshot);

}  // namespace gridsweep::analysis

// The finished runs of a selection, and where their arrays are.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"

namespace gridsweep::analysis {

struct FinishedRun {
  int64_t run_id, sweep_id;
  std::string readout;
  Key key;               // of its group
  std::string artifact;  // SHA-256, 32 raw bytes; "" where it has none
};

// In the order of their ids. Errors: INVALID_ARGUMENT naming `path` where there are more than
// `limit`.
absl::StatusOr<std::vector<FinishedRun>> ReadFinishedRuns(Snapshot& snapshot,
                                                          const Selection& selection, int limit,
                                                          const std::string& path);

}  // namespace gridsweep::analysis

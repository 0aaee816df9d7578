// Sweeps as pictures name them.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/queries/database.h"

namespace gridsweep::analysis {

// "sweep 3 quickstart", "sweeps 3 quickstart, 4 and 7 more": the first few by id, each with its
// name where it has one (cut after 40 bytes); "all sweeps" for no ids.
absl::StatusOr<std::string> ReadSweepNames(Snapshot& snapshot, std::vector<int64_t> ids);

}  // namespace gridsweep::analysis

// The readouts that a sweep's runs have.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "analysis/queries/database.h"
#include "science/config/run_config.h"

namespace gridsweep::analysis {

struct SweepReadouts {
  struct Readout {
    science::RunConfig config;  // its first run's, with the smallest seed of its runs
    int64_t runs;
  };
  std::vector<Readout> readouts;
  int64_t runs_left_out;  // of readouts beyond the limit
};

// Distinct readouts (science::ReadoutOf) in the order of their first runs, the
// first `limit`. NOT_FOUND when there is no such sweep.
absl::StatusOr<SweepReadouts> ReadSweepReadouts(Snapshot& snapshot, int64_t sweep_id, int limit);

}  // namespace gridsweep::analysis

// One run from its configuration to its result: train, evaluate, map, score.
// No network and no database in here.
#pragma once

#include <absl/status/statusor.h>

#include "science/config/run_config.h"
#include "worker/run_monitor.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

// Trains and scores `config` on the calling thread, telling `monitor` how far
// it is. Everything but compute_seconds is a function of `config` and
// integrator::NumericsId() alone, whatever runs beside it.
//
// A loss that becomes non-finite is a result (kDiverged), not an error.
// Errors: CANCELLED within a step, an evaluation batch or a unit's scoring of
// monitor.RequestStop; RESOURCE_EXHAUSTED (memory) from the trainer; INTERNAL
// from it or from HDF5.
absl::StatusOr<RunResult> RunPipeline(const science::RunConfig& config, RunMonitor& monitor);

}  // namespace gridsweep::worker

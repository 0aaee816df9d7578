// One run from its configuration to its result: train, evaluate, map, score.
// No network and no database in here.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "hdf5/reader.h"
#include "science/config/run_config.h"
#include "worker/run_monitor.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

// How a run goes on from a checkpoint and leaves others behind (worker/checkpoint.h).
struct Checkpointing {
  std::string resume;  // a checkpoint's bytes; empty: from the start
  hdf5::Reader* reader = nullptr;  // of `resume`; may be nullptr where that is empty
  // Asked between gradient steps, and when the run is told to stop. True: `save` is called
  // with the state of that moment.
  std::function<bool()> due = nullptr;
  std::function<void(uint64_t step, const std::string& bytes, const std::string& numerics_id)>
      save = nullptr;
};

// Trains and scores `config` on the calling thread, telling `monitor` how far
// it is. Everything but compute_seconds is a function of `config` and
// integrator::NumericsId() alone, whatever runs beside it and wherever it was
// interrupted; a checkpoint of another numerics_id makes the result's a mixed one.
// A checkpoint that cannot be used costs its work: the log says why, and the run
// starts over.
//
// A loss that becomes non-finite is a result (kDiverged), not an error.
// Errors: CANCELLED within a step, an evaluation batch or a unit's scoring of
// monitor.RequestStop; RESOURCE_EXHAUSTED (memory) from the trainer; INTERNAL
// from it or from HDF5.
absl::StatusOr<RunResult> RunPipeline(const science::RunConfig& config, RunMonitor& monitor,
                                      const Checkpointing& checkpointing = {});

}  // namespace gridsweep::worker

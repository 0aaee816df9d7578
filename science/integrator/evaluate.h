// Runs a network on evaluation walks and measures its decoding errors. Private
// to science/integrator (includes LibTorch).
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/head_direction_cells.h"
#include "science/integrator/readout.h"
#include "science/integrator/trainer.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {

// See Trainer::Evaluate. Samples are ordered by (batch, step, walk). Memory: the
// returned arrays and one batch's buffers.
absl::StatusOr<Evaluation> EvaluateNetwork(const science::RunConfig& config,
                                           const ReadoutMap& readout,
                                           const HeadDirectionCells& directions,
                                           const std::vector<Weight>& weights,
                                           const std::function<bool(int64_t)>& on_batch);

}  // namespace gridsweep::integrator

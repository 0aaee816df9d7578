// The networks by plain loops in double precision, from the published equations:
// what the integrator's are compared with.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/dropout.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {

struct ReferenceOutputs {
  std::vector<std::vector<double>> units, place, direction;  // [steps][...]
};

// One walk `b` of a batch of `batch`: `start` [batch, :], `inputs` [steps * batch, :],
// everything float64. Masks as in training, [.., :] rows of the whole batch.
ReferenceOutputs RunReference(const science::RunConfig& config, const std::vector<Weight>& weights,
                              const at::Tensor& start, const at::Tensor& inputs,
                              const DropoutMasks& masks, int64_t batch, int64_t b);

}  // namespace gridsweep::integrator

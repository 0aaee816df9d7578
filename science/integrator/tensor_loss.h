// The training losses wherever the network's outputs are. Private to
// science/integrator and its tests (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// The loss of `predicted` ([rows, outputs] float32, contiguous), which is replaced by
// the gradient with respect to it, given as many targets: on the processor by the fused
// loops of LossOf(loss), elsewhere by TensorLoss.
double LossAndGradient(science::Loss loss, std::vector<float>& target, at::Tensor& predicted);

// The same by tensor operations, on the device of both.
double TensorLoss(science::Loss loss, const at::Tensor& target, at::Tensor& predicted);

}  // namespace gridsweep::integrator

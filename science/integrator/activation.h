// The activation functions phi. Private to science/integrator (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// values <- phi(values).
void Activate(science::Activation activation, at::Tensor& values);

// gradient <- gradient * phi'(x), given values = phi(x).
void ActivateBackward(science::Activation activation, at::Tensor& gradient,
                      const at::Tensor& values);

}  // namespace gridsweep::integrator

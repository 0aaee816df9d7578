// Where networks are trained. Private to science/integrator and its tests (includes
// LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "science/integrator/dropout.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {

// What UseDevice chose; the processor before that.
at::Device ChosenDevice();

// The same numbers on `device`; the very same tensors where they are there already.
std::vector<Weight> On(at::Device device, std::vector<Weight> weights);
DropoutMasks On(at::Device device, const DropoutMasks& masks);

// What the processor fills in in place of `tensor` (float32), to be copied to it: the
// tensor itself where that is the processor's.
at::Tensor HostSideOf(const at::Tensor& tensor);

// The numbers of a float32 tensor, row-major, wherever it is; none where it is undefined.
std::vector<float> NumbersOf(const at::Tensor& tensor);
// Writes as many numbers into `tensor`; nothing where it is undefined.
void SetNumbers(const std::vector<float>& numbers, at::Tensor& tensor);

}  // namespace gridsweep::integrator

// The optimisers by tensor operations, for weights that are not the processor's.
// Private to science/integrator and its tests (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/device.h"
#include "science/integrator/optimizer.h"

namespace gridsweep::integrator {

// The state for one parameter; equations and arguments are Optimizer's.
class TensorOptimizer {
 public:
  // For parameters like `theta`: of its shape and on its device.
  TensorOptimizer(science::Optimizer kind, const at::Tensor& theta, double momentum = 0);

  void Step(const Optimizer::Options& options, uint64_t t, const at::Tensor& gradient,
            at::Tensor& theta);

  // The state, as Optimizer's.
  std::vector<float> mean() const { return NumbersOf(mean_); }
  std::vector<float> square() const { return NumbersOf(square_); }
  // Precondition: of the sizes that they have.
  void Restore(const std::vector<float>& mean, const std::vector<float>& square) {
    SetNumbers(mean, mean_);
    SetNumbers(square, square_);
  }

 private:
  science::Optimizer kind_;
  double momentum_;
  at::Tensor mean_;    // m; undefined where there is none
  at::Tensor square_;  // v or a; undefined for sgd
};

}  // namespace gridsweep::integrator

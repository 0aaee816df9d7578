// A recurrent layer over time: forward pass and hand-written back-propagation.
// Private to science/integrator (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "science/integrator/cell.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {

// The input's part of the gates is one GEMM for all steps, the state's part one
// GEMM a step; the cell does the rest. Rows are step * batch + b.
class RecurrentLayer {
 public:
  // From the layers "recurrent_input" (W, b) and "recurrent" (U, b'). Runs in the
  // floating-point type of `weights`, and sees what becomes of their values.
  RecurrentLayer(std::unique_ptr<Cell> cell, const std::vector<Weight>& weights, int64_t steps,
                 int64_t batch);

  // The states at the start, to be filled before Forward: h_0 [batch, n], and of
  // cells with a cell state c_0 after it.
  std::vector<at::Tensor>& start() { return values_.start; }
  // h_1 .. h_T [steps * batch, n].
  const at::Tensor& output() const { return values_.output; }

  // `x` is [steps * batch, inputs]. Where `mask` [batch, n] is defined it multiplies
  // h_{t-1} on its way into U, at every step.
  void Forward(const at::Tensor& x, const at::Tensor& mask);

  // The gradient with respect to output(), to be filled before Backward.
  at::Tensor& delta_output() { return Deltas().output; }
  // Overwrites the gradients of the weights and delta_start(), and delta_x where it
  // is given. Precondition: Forward has run with this `x` and `mask`.
  void Backward(const at::Tensor& x, const at::Tensor& mask, at::Tensor* delta_x);
  const std::vector<at::Tensor>& delta_start() { return Deltas().start; }

 private:
  // The numbers of a pass, or their gradients.
  struct Tape {
    at::Tensor gates, state_part;
    at::Tensor previous, output;  // h_0 .. h_{T-1} and h_1 .. h_T, overlapping
    std::vector<at::Tensor> start;
    std::vector<CellStep> steps;
  };
  Tape MakeTape() const;
  Tape& Deltas();  // made when first needed: evaluation needs none

  std::unique_ptr<Cell> cell_;
  Dense input_, recurrent_;
  int64_t steps_, batch_;
  Tape values_, deltas_;
  at::Tensor dropped_;  // h_0 .. h_{T-1} times the mask
  at::Tensor through_;  // [batch, n] what comes back through U and the mask
};

}  // namespace gridsweep::integrator

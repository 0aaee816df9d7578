// A network over `steps` x `batch`: forward pass and hand-written backward pass.
// Private to science/integrator and its tests (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/dropout.h"
#include "science/integrator/recurrent_layer.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {

// Every rnn_type: encoders of the start, an input layer (unless RNN, BaninoLSTM), a
// recurrent layer, a dense layer (unless RNN), one or two output heads. Rows of
// two-dimensional tensors are step * batch + b. Equations: docs/science.md.
class Network {
 public:
  // Runs in the floating-point type of `weights` (DrawWeights of `config`, or like
  // them), and sees what becomes of their values.
  Network(const science::RunConfig& config, const std::vector<Weight>& weights, int64_t steps,
          int64_t batch);

  // To be filled before Forward: what the encoders are given, [batch, Np], and in
  // BaninoLSTM head-direction activity beside it; and the inputs,
  // [steps * batch, 2 or 3].
  at::Tensor& start() { return start_; }
  at::Tensor& inputs() { return inputs_; }

  // Fills units() and the outputs. With `masks` it drops what they say.
  void Forward(const DropoutMasks& masks = {});
  // The scored units g, before any dropout, [steps * batch, Ng].
  const at::Tensor& units() const { return units_; }
  // [steps * batch, Np]
  at::Tensor& place() { return place_; }
  // [steps * batch, n_head_direction_cells]; undefined without such cells.
  at::Tensor& head_direction() { return head_direction_; }

  // Overwrites the gradient of every weight. Precondition: Forward has run, and
  // place() and head_direction() now hold the gradients of the loss with respect
  // to them.
  void Backward();

 private:
  bool has_directions() const { return direction_head_.exists(); }

  int64_t steps_;
  std::vector<Dense> encoders_;  // of h_0, and c_0 where there is one
  Dense input_;
  RecurrentLayer recurrent_;
  Dense dense_;
  science::Activation dense_activation_;
  Dense place_head_, direction_head_;

  DropoutMasks masks_;  // of the last Forward
  at::Tensor start_, inputs_;
  at::Tensor hidden_;  // the input layer's output, or inputs_
  at::Tensor x_;       // hidden_ after dropout
  at::Tensor units_;   // the dense layer's output, or the recurrent layer's
  at::Tensor g_;       // units_ after dropout
  at::Tensor place_, head_direction_;
  at::Tensor dropped_hidden_, dropped_units_, delta_hidden_, delta_dense_;
};

}  // namespace gridsweep::integrator

// The recurrent network: forward pass and hand-written backward pass. Private to
// science/integrator and its tests (the only header here that includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// The matrices of an RNN without biases, or their gradients. Row vectors
// multiply from the left: h_0 = y E, h_t = phi(v_t W + h_{t-1} U), output h_t D.
struct RnnWeights {
  at::Tensor encoder;    // E [Np, Ng]
  at::Tensor input;      // W [2, Ng]
  at::Tensor recurrent;  // U [Ng, Ng]
  at::Tensor readout;    // D [Ng, Np]

  std::array<at::Tensor*, 4> All() { return {&encoder, &input, &recurrent, &readout}; }
};

// Initial weights from `config.seed`'s weights stream: glorot_uniform, and
// `config.initializer` for the recurrent kernel. float32.
// Source: docs/science.md, networks (Keras' definitions).
RnnWeights DrawWeights(const science::RunConfig& config);
// The same shapes, uninitialised.
RnnWeights EmptyLike(const RnnWeights& weights);

// Buffers for `steps` x `batch`; rows of two-dimensional views are step * batch + b.
class RnnPass {
 public:
  // Runs in the floating-point type of `weights`. Keeps no reference to them.
  RnnPass(const RnnWeights& weights, science::Activation activation, int64_t steps, int64_t batch);

  // Inputs, to be filled before Forward: y(p_1) [batch, Np] and v [steps * batch, 2].
  at::Tensor& start() { return start_; }
  at::Tensor& velocity() { return velocity_; }

  // Fills units() and output().
  void Forward(const RnnWeights& weights);
  // The scored units g [steps * batch, Ng].
  const at::Tensor& units() const { return units_; }
  // [steps * batch, Np]
  at::Tensor& output() { return output_; }

  // Back-propagation through time. Precondition: Forward has run, and output()
  // now holds the gradient of the loss with respect to the output.
  // Overwrites `gradient`.
  void Backward(const RnnWeights& weights, RnnWeights& gradient);

 private:
  void ApplyActivation(at::Tensor& values) const;
  // gradient <- gradient * phi'(x), given phi(x).
  void BackwardActivation(at::Tensor& gradient, const at::Tensor& values) const;

  science::Activation activation_;
  at::Tensor start_, velocity_;
  at::Tensor states_;            // h_0 .. h_T: [(steps + 1) * batch, Ng]
  at::Tensor units_, previous_;  // views of states_: h_1 .. h_T, h_0 .. h_{T-1}
  at::Tensor deltas_;            // gradients like states_; rows of t > 0 before phi
  at::Tensor delta_units_;       // view of deltas_: t = 1 .. T
  at::Tensor output_;
  std::vector<at::Tensor> state_;  // views of states_, one a step, 0 .. T
  std::vector<at::Tensor> delta_;  // views of deltas_
};

}  // namespace gridsweep::integrator

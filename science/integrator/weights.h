// The weights of a network, layer by layer, and how they start. Private to
// science/integrator and its tests (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <string_view>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// A matrix or a bias. Copies share their numbers, as copies of a tensor do.
struct Weight {
  std::string name;  // "recurrent.kernel"
  at::Tensor value;
  at::Tensor gradient;  // like value; what Network::Backward leaves
  // The loss has weight_decay * decay * (sum of squares of value).
  double decay = 0;
  bool head = false;  // of an output head: what gradient_clip_scope heads is about
};

// y = x K + b. Row vectors multiply from the left.
struct Dense {
  Weight kernel;  // K [inputs, outputs]; without a value: there is no such layer
  Weight bias;    // b [outputs]; without a value: none

  bool exists() const { return kernel.value.defined(); }
  int64_t inputs() const { return kernel.value.size(0); }
  int64_t outputs() const { return kernel.value.size(1); }

  void Forward(const at::Tensor& x, at::Tensor& y) const;
  // Overwrites the gradients of K and b, given x and the gradient with respect to y.
  void Backward(const at::Tensor& x, const at::Tensor& delta_y);
  // delta_x <- (or, to `add`, +=) the gradient with respect to x.
  void BackwardInput(const at::Tensor& delta_y, at::Tensor& delta_x, bool add = false) const;
};

// The layer `name` of a network: its weights are "name.kernel" and "name.bias".
Dense LayerOf(const std::vector<Weight>& weights, std::string_view name);

// The untrained network of `config`, from the weights stream of its seed, float32.
// Kernels are glorot_uniform, recurrent.kernel as `config.initializer` says;
// biases are 0, the forget gate's 1. Source: docs/science.md, networks.
//
//   layer                RNN       SRNN      GRU        LSTM       UGRNN      BaninoLSTM
//   encoder (h_0)        Np,n      Np,n b    Np,n b     Np,n b     Np,n b     Np+Nh,l
//   cell_encoder (c_0)                                  Np,n b                Np+Nh,l
//   input                          2,n b     2,n b      2,n b      2,n b
//   recurrent_input      2,n       n,n       n,3n b     n,4n b     n,2n b     3,4l b
//   recurrent            n,n       n,n       n,3n b     n,4n       n,2n       l,4l
//   dense                          n,n b     n,n b      n,n b      n,n b      l,n (b)
//   place_head           n,Np      n,Np b    n,Np b     n,Np b     n,Np b     n,Np b
//   head_direction_head  n,Nh      n,Nh b    n,Nh b     n,Nh b     n,Nh b     n,Nh b
//
// with n = Ng, l = lstm_units, Nh = n_head_direction_cells (no such head where 0);
// b: has a bias. Gates lie side by side: GRU z, r, h; LSTM i, f, c, o; UGRNN g, c.
// UGRNN's K is drawn whole, [2n, 2n], and its halves are recurrent_input and
// recurrent. Weight decay is on recurrent.kernel; in BaninoLSTM, halved, on the
// kernels of the heads.
std::vector<Weight> DrawWeights(const science::RunConfig& config);

}  // namespace gridsweep::integrator

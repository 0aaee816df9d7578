// What is dropped in training. Private to science/integrator and its tests
// (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// Factors 0 or 1 / (1 - rate), float32; undefined where nothing is dropped.
struct DropoutMasks {
  // One a sequence, the same at every step and for every gate. Of the recurrent
  // layer's input, [batch, its inputs], and of h_{t-1} on its way into the
  // recurrent kernel, [batch, its units].
  at::Tensor input, recurrent;
  // Of the scored units before the heads: fresh at every step, [steps * batch, Ng].
  at::Tensor units;
};

// Draws the masks that `config.dropout_mode` asks for: keras drops the recurrent
// layer's input by readout_dropout and its state by recurrent_dropout; readout
// drops the units by readout_dropout; published drops nothing.
class Dropout {
 public:
  explicit Dropout(const science::RunConfig& config);

  // The masks of training step `step` (from 0): a function of seed, sizes and step
  // alone. They last until the next call.
  const DropoutMasks& Draw(uint64_t step);

 private:
  int64_t seed_;
  double readout_rate_, recurrent_rate_;
  DropoutMasks masks_;
};

}  // namespace gridsweep::integrator

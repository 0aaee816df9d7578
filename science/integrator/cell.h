// What distinguishes recurrent layers: the element-wise equations of one step.
// Private to science/integrator (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// The rows of one step, or the gradients of the loss with respect to them:
// [batch, n], gates [batch, gates * n] with the gates side by side.
struct CellStep {
  at::Tensor gates;       // see Cell
  at::Tensor state_part;  // of cells with `separate_state_part`: h U + b'
  at::Tensor h, next_h;
  at::Tensor c, next_c;  // of cells with `cell_state`
  at::Tensor kept;       // likewise: what Forward keeps for Backward
};

class Cell {
 public:
  struct Layout {
    int64_t gates;
    bool separate_state_part = false;
    bool cell_state = false;
  };

  virtual ~Cell() = default;
  // With one gate, `gates` and `next_h` are the same memory.
  virtual Layout layout() const = 0;

  // Finds next_h (and next_c). `gates` holds x W + b + h U, or without the last
  // term where the layout separates it; what Backward needs of it replaces it.
  virtual void Forward(CellStep& step) const = 0;

  // Fills in delta.gates (with respect to the gates before activation) and
  // delta.state_part, given delta.next_h and delta.next_c. To delta.h it adds what
  // does not come through U; delta.c it overwrites.
  virtual void Backward(const CellStep& step, CellStep& delta) const = 0;
};

// h' = phi(x W + h U).
std::unique_ptr<Cell> MakeSrnnCell(science::Activation activation);
// z, r = sigmoid(x W + b + h U + b'), c = phi(x W_c + b_c + r (h U_c + b'_c)),
// h' = z h + (1 - z) c. Gates z, r, c (Keras, reset_after).
std::unique_ptr<Cell> MakeGruCell(science::Activation activation);
// c' = f c + i phi(g), h' = o phi(c'), with i, f, o under the sigmoid. Gates i, f, g, o.
std::unique_ptr<Cell> MakeLstmCell(science::Activation activation);
// h' = g h + (1 - g) c, with g under sigmoid(. + 1) and c under phi. Gates g, c.
std::unique_ptr<Cell> MakeUgrnnCell(science::Activation activation);

}  // namespace gridsweep::integrator

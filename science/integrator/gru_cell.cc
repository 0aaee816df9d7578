#include "science/integrator/activation.h"
#include "science/integrator/cell.h"

namespace gridsweep::integrator {
namespace {

// `gates` as the views that the equations speak of.
struct Gates {
  at::Tensor z, r, c, zr;

  explicit Gates(const at::Tensor& gates) {
    const int64_t n = gates.size(1) / 3;
    z = gates.narrow(1, 0, n);
    r = gates.narrow(1, n, n);
    c = gates.narrow(1, 2 * n, n);
    zr = gates.narrow(1, 0, 2 * n);
  }
};

class GruCell : public Cell {
 public:
  explicit GruCell(science::Activation activation) : activation_(activation) {}

  Layout layout() const override { return {.gates = 3, .separate_state_part = true}; }

  void Forward(CellStep& step) const override {
    Gates gate(step.gates);
    const Gates state(step.state_part);
    gate.zr.add_(state.zr).sigmoid_();
    gate.c.addcmul_(gate.r, state.c);
    Activate(activation_, gate.c);
    at::lerp_out(step.next_h, gate.c, step.h, gate.z);
  }

  void Backward(const CellStep& step, CellStep& delta) const override {
    const Gates gate(step.gates), state(step.state_part);
    Gates d(delta.gates), d_state(delta.state_part);
    at::sub_out(d.z, step.h, gate.c);
    d.z.mul_(delta.next_h);
    at::addcmul_out(d.c, delta.next_h, delta.next_h, gate.z, -1);
    ActivateBackward(activation_, d.c, gate.c);
    at::mul_out(d.r, d.c, state.c);
    at::sigmoid_backward_out(d.zr, d.zr, gate.zr);
    d_state.zr.copy_(d.zr);
    at::mul_out(d_state.c, d.c, gate.r);
    delta.h.addcmul_(delta.next_h, gate.z);
  }

 private:
  const science::Activation activation_;
};

}  // namespace

std::unique_ptr<Cell> MakeGruCell(science::Activation activation) {
  return std::make_unique<GruCell>(activation);
}

}  // namespace gridsweep::integrator

#include "science/integrator/activation.h"
#include "science/integrator/cell.h"

namespace gridsweep::integrator {
namespace {

// `gates` as the views that the equations speak of.
struct Gates {
  at::Tensor g, c;

  explicit Gates(const at::Tensor& gates) {
    const int64_t n = gates.size(1) / 2;
    g = gates.narrow(1, 0, n);
    c = gates.narrow(1, n, n);
  }
};

class UgrnnCell : public Cell {
 public:
  explicit UgrnnCell(science::Activation activation) : activation_(activation) {}

  Layout layout() const override { return {.gates = 2}; }

  void Forward(CellStep& step) const override {
    Gates gate(step.gates);
    gate.g.add_(1).sigmoid_();
    Activate(activation_, gate.c);
    at::lerp_out(step.next_h, gate.c, step.h, gate.g);
  }

  void Backward(const CellStep& step, CellStep& delta) const override {
    const Gates gate(step.gates);
    Gates d(delta.gates);
    at::sub_out(d.g, step.h, gate.c);
    d.g.mul_(delta.next_h);
    at::sigmoid_backward_out(d.g, d.g, gate.g);
    at::addcmul_out(d.c, delta.next_h, delta.next_h, gate.g, -1);
    ActivateBackward(activation_, d.c, gate.c);
    delta.h.addcmul_(delta.next_h, gate.g);
  }

 private:
  const science::Activation activation_;
};

}  // namespace

std::unique_ptr<Cell> MakeUgrnnCell(science::Activation activation) {
  return std::make_unique<UgrnnCell>(activation);
}

}  // namespace gridsweep::integrator

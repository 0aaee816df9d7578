#include "science/integrator/activation.h"
#include "science/integrator/cell.h"

namespace gridsweep::integrator {
namespace {

// `gates` as the views that the equations speak of.
struct Gates {
  at::Tensor i, f, g, o, if_;

  explicit Gates(const at::Tensor& gates) {
    const int64_t n = gates.size(1) / 4;
    i = gates.narrow(1, 0, n);
    f = gates.narrow(1, n, n);
    g = gates.narrow(1, 2 * n, n);
    o = gates.narrow(1, 3 * n, n);
    if_ = gates.narrow(1, 0, 2 * n);
  }
};

// Keeps phi(c').
class LstmCell : public Cell {
 public:
  explicit LstmCell(science::Activation activation) : activation_(activation) {}

  Layout layout() const override { return {.gates = 4, .cell_state = true}; }

  void Forward(CellStep& step) const override {
    Gates gate(step.gates);
    gate.if_.sigmoid_();
    Activate(activation_, gate.g);
    gate.o.sigmoid_();
    at::mul_out(step.next_c, gate.f, step.c);
    step.next_c.addcmul_(gate.i, gate.g);
    step.kept.copy_(step.next_c);
    Activate(activation_, step.kept);
    at::mul_out(step.next_h, gate.o, step.kept);
  }

  void Backward(const CellStep& step, CellStep& delta) const override {
    const Gates gate(step.gates);
    Gates d(delta.gates);
    at::mul_out(d.o, delta.next_h, step.kept);
    at::sigmoid_backward_out(d.o, d.o, gate.o);
    at::mul_out(delta.kept, delta.next_h, gate.o);
    ActivateBackward(activation_, delta.kept, step.kept);
    delta.next_c.add_(delta.kept);
    at::mul_out(d.i, delta.next_c, gate.g);
    at::mul_out(d.f, delta.next_c, step.c);
    at::sigmoid_backward_out(d.if_, d.if_, gate.if_);
    at::mul_out(d.g, delta.next_c, gate.i);
    ActivateBackward(activation_, d.g, gate.g);
    at::mul_out(delta.c, delta.next_c, gate.f);
  }

 private:
  const science::Activation activation_;
};

}  // namespace

std::unique_ptr<Cell> MakeLstmCell(science::Activation activation) {
  return std::make_unique<LstmCell>(activation);
}

}  // namespace gridsweep::integrator

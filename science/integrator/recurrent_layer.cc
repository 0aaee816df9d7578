#include "science/integrator/recurrent_layer.h"

#include <utility>

namespace gridsweep::integrator {

RecurrentLayer::RecurrentLayer(std::unique_ptr<Cell> cell, const std::vector<Weight>& weights,
                               int64_t steps, int64_t batch)
    : cell_(std::move(cell)),
      input_(LayerOf(weights, "recurrent_input")),
      recurrent_(LayerOf(weights, "recurrent")),
      steps_(steps),
      batch_(batch),
      values_(MakeTape()) {}

RecurrentLayer::Tape RecurrentLayer::MakeTape() const {
  const Cell::Layout layout = cell_->layout();
  const int64_t n = recurrent_.inputs(), rows = steps_ * batch_;
  auto zeros = [&](int64_t of_rows, int64_t columns) {
    return at::zeros({of_rows, columns}, recurrent_.kernel.value.options());
  };
  Tape tape;
  const at::Tensor h = zeros(rows + batch_, n);
  tape.previous = h.narrow(0, 0, rows);
  tape.output = h.narrow(0, batch_, rows);
  tape.gates = layout.gates == 1 ? tape.output : zeros(rows, layout.gates * n);
  if (layout.separate_state_part) tape.state_part = zeros(rows, layout.gates * n);
  at::Tensor c, kept;
  if (layout.cell_state) {
    c = zeros(rows + batch_, n);
    kept = zeros(rows, n);
  }
  auto block = [&](const at::Tensor& all, int64_t t) {
    return all.defined() ? all.narrow(0, t * batch_, batch_) : at::Tensor();
  };
  for (int64_t t = 0; t < steps_; ++t) {
    tape.steps.push_back({.gates = block(tape.gates, t),
                          .state_part = block(tape.state_part, t),
                          .h = block(h, t),
                          .next_h = block(h, t + 1),
                          .c = block(c, t),
                          .next_c = block(c, t + 1),
                          .kept = block(kept, t)});
  }
  tape.start.push_back(block(h, 0));
  if (layout.cell_state) tape.start.push_back(block(c, 0));
  return tape;
}

RecurrentLayer::Tape& RecurrentLayer::Deltas() {
  if (deltas_.steps.empty()) deltas_ = MakeTape();
  return deltas_;
}

void RecurrentLayer::Forward(const at::Tensor& x, const at::Tensor& mask) {
  input_.Forward(x, values_.gates);
  if (mask.defined() && !dropped_.defined()) dropped_ = at::empty_like(values_.previous);
  for (int64_t t = 0; t < steps_; ++t) {
    CellStep& step = values_.steps[static_cast<size_t>(t)];
    at::Tensor h = step.h;
    if (mask.defined()) {
      h = dropped_.narrow(0, t * batch_, batch_);
      at::mul_out(h, step.h, mask);
    }
    if (step.state_part.defined()) {
      recurrent_.Forward(h, step.state_part);
    } else {
      step.gates.addmm_(h, recurrent_.kernel.value);
    }
    cell_->Forward(step);
  }
}

void RecurrentLayer::Backward(const at::Tensor& x, const at::Tensor& mask, at::Tensor* delta_x) {
  Tape& deltas = Deltas();
  deltas.steps.front().h.zero_();
  at::Tensor last_c = deltas.steps.back().next_c;
  if (last_c.defined()) last_c.zero_();
  if (mask.defined() && !through_.defined()) through_ = at::empty_like(mask);
  for (size_t t = deltas.steps.size(); t-- > 0;) {
    CellStep& delta = deltas.steps[t];
    cell_->Backward(values_.steps[t], delta);
    const at::Tensor& delta_state = delta.state_part.defined() ? delta.state_part : delta.gates;
    if (mask.defined()) {
      recurrent_.BackwardInput(delta_state, through_);
      delta.h.addcmul_(through_, mask);
    } else {
      recurrent_.BackwardInput(delta_state, delta.h, /*add=*/true);
    }
  }
  recurrent_.Backward(mask.defined() ? dropped_ : values_.previous,
                      deltas.state_part.defined() ? deltas.state_part : deltas.gates);
  input_.Backward(x, deltas.gates);
  if (delta_x != nullptr) input_.BackwardInput(deltas.gates, *delta_x);
}

}  // namespace gridsweep::integrator

#include "science/integrator/network.h"

#include <memory>

#include "science/integrator/activation.h"

namespace gridsweep::integrator {
namespace {

using science::Activation;
using science::RnnType;
using science::RunConfig;

std::unique_ptr<Cell> MakeCell(const RunConfig& config) {
  switch (config.rnn_type) {
    case RnnType::kRnn:
    case RnnType::kSrnn:
      return MakeSrnnCell(config.activation);
    case RnnType::kGru:
      return MakeGruCell(config.activation);
    case RnnType::kLstm:
      return MakeLstmCell(config.activation);
    case RnnType::kUgrnn:
      return MakeUgrnnCell(config.activation);
    case RnnType::kBaninoLstm:
      return MakeLstmCell(Activation::kTanh);
  }
  return nullptr;
}

// dropped <- values * mask, the mask's rows repeated at every step.
void Drop(const at::Tensor& values, const at::Tensor& mask, int64_t steps, at::Tensor& dropped) {
  if (!dropped.defined()) dropped = at::empty_like(values);
  const std::vector<int64_t> shape = {steps, values.size(0) / steps, values.size(1)};
  at::Tensor by_step = dropped.view(shape);
  at::mul_out(by_step, values.view(shape), mask);
}

}  // namespace

Network::Network(const RunConfig& config, const std::vector<Weight>& weights, int64_t steps,
                 int64_t batch)
    : steps_(steps),
      input_(LayerOf(weights, "input")),
      recurrent_(MakeCell(config), weights, steps, batch),
      dense_(LayerOf(weights, "dense")),
      dense_activation_(config.rnn_type == RnnType::kBaninoLstm ? Activation::kLinear
                                                                : config.activation),
      place_head_(LayerOf(weights, "place_head")),
      direction_head_(LayerOf(weights, "head_direction_head")) {
  encoders_.push_back(LayerOf(weights, "encoder"));
  if (Dense cell = LayerOf(weights, "cell_encoder"); cell.exists()) encoders_.push_back(cell);

  const int64_t rows = steps * batch;
  auto zeros = [&](int64_t of_rows, int64_t columns) {
    return at::zeros({of_rows, columns}, place_head_.kernel.value.options());
  };
  start_ = zeros(batch, encoders_.front().inputs());
  inputs_ =
      zeros(rows, input_.exists() ? input_.inputs() : LayerOf(weights, "recurrent_input").inputs());
  hidden_ = input_.exists() ? zeros(rows, input_.outputs()) : inputs_;
  units_ = dense_.exists() ? zeros(rows, dense_.outputs()) : recurrent_.output();
  place_ = zeros(rows, place_head_.outputs());
  if (has_directions()) head_direction_ = zeros(rows, direction_head_.outputs());
}

void Network::Forward(const DropoutMasks& masks) {
  masks_ = masks;
  for (size_t i = 0; i < encoders_.size(); ++i) encoders_[i].Forward(start_, recurrent_.start()[i]);
  if (input_.exists()) input_.Forward(inputs_, hidden_);
  x_ = hidden_;
  if (masks_.input.defined()) {
    Drop(hidden_, masks_.input, steps_, dropped_hidden_);
    x_ = dropped_hidden_;
  }
  recurrent_.Forward(x_, masks_.recurrent);
  if (dense_.exists()) {
    dense_.Forward(recurrent_.output(), units_);
    Activate(dense_activation_, units_);
  }
  g_ = units_;
  if (masks_.units.defined()) {
    Drop(units_, masks_.units, 1, dropped_units_);
    g_ = dropped_units_;
  }
  place_head_.Forward(g_, place_);
  if (has_directions()) direction_head_.Forward(g_, head_direction_);
}

void Network::Backward() {
  if (dense_.exists() && !delta_dense_.defined()) delta_dense_ = at::empty_like(units_);
  at::Tensor& delta_units = dense_.exists() ? delta_dense_ : recurrent_.delta_output();

  place_head_.Backward(g_, place_);
  place_head_.BackwardInput(place_, delta_units);
  if (has_directions()) {
    direction_head_.Backward(g_, head_direction_);
    direction_head_.BackwardInput(head_direction_, delta_units, /*add=*/true);
  }
  if (masks_.units.defined()) delta_units.mul_(masks_.units);
  if (dense_.exists()) {
    ActivateBackward(dense_activation_, delta_dense_, units_);
    dense_.Backward(recurrent_.output(), delta_dense_);
    dense_.BackwardInput(delta_dense_, recurrent_.delta_output());
  }

  if (!input_.exists()) {
    recurrent_.Backward(x_, masks_.recurrent, nullptr);
  } else {
    if (!delta_hidden_.defined()) delta_hidden_ = at::empty_like(hidden_);
    recurrent_.Backward(x_, masks_.recurrent, &delta_hidden_);
    if (masks_.input.defined()) Drop(delta_hidden_, masks_.input, steps_, delta_hidden_);
    input_.Backward(inputs_, delta_hidden_);
  }
  for (size_t i = 0; i < encoders_.size(); ++i) {
    encoders_[i].Backward(start_, recurrent_.delta_start()[i]);
  }
}

}  // namespace gridsweep::integrator

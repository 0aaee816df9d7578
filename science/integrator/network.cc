#include "science/integrator/network.h"

#include <utility>

namespace gridsweep::integrator {

using science::Activation;

RnnWeights EmptyLike(const RnnWeights& weights) {
  return {at::empty_like(weights.encoder), at::empty_like(weights.input),
          at::empty_like(weights.recurrent), at::empty_like(weights.readout)};
}

RnnPass::RnnPass(const RnnWeights& weights, Activation activation, int64_t steps, int64_t batch)
    : activation_(activation) {
  const int64_t units = weights.recurrent.size(0), outputs = weights.readout.size(1);
  const auto options = weights.recurrent.options();
  start_ = at::zeros({batch, outputs}, options);
  velocity_ = at::zeros({steps * batch, 2}, options);
  states_ = at::zeros({(steps + 1) * batch, units}, options);
  units_ = states_.narrow(0, batch, steps * batch);
  previous_ = states_.narrow(0, 0, steps * batch);
  output_ = at::zeros({steps * batch, outputs}, options);
  for (int64_t t = 0; t <= steps; ++t) state_.push_back(states_.narrow(0, t * batch, batch));
}

void RnnPass::ApplyActivation(at::Tensor& values) const {
  switch (activation_) {
    case Activation::kRelu:
      values.clamp_min_(0);
      break;
    case Activation::kTanh:
      values.tanh_();
      break;
    case Activation::kSigmoid:
      values.sigmoid_();
      break;
    case Activation::kLinear:
      break;
  }
}

void RnnPass::BackwardActivation(at::Tensor& gradient, const at::Tensor& values) const {
  switch (activation_) {
    case Activation::kRelu:
      at::threshold_backward_out(gradient, gradient, values, 0);
      break;
    case Activation::kTanh:
      at::tanh_backward_out(gradient, gradient, values);
      break;
    case Activation::kSigmoid:
      at::sigmoid_backward_out(gradient, gradient, values);
      break;
    case Activation::kLinear:
      break;
  }
}

void RnnPass::Forward(const RnnWeights& weights) {
  at::mm_out(state_[0], start_, weights.encoder);
  at::mm_out(units_, velocity_, weights.input);
  for (size_t t = 1; t < state_.size(); ++t) {
    state_[t].addmm_(state_[t - 1], weights.recurrent);
    ApplyActivation(state_[t]);
  }
  at::mm_out(output_, units_, weights.readout);
}

void RnnPass::Backward(const RnnWeights& weights, RnnWeights& gradient) {
  if (!deltas_.defined()) {  // evaluation needs none
    deltas_ = at::empty_like(states_);
    const int64_t batch = start_.size(0);
    delta_units_ = deltas_.narrow(0, batch, units_.size(0));
    for (size_t t = 0; t < state_.size(); ++t) {
      delta_.push_back(deltas_.narrow(0, static_cast<int64_t>(t) * batch, batch));
    }
  }
  at::mm_out(gradient.readout, units_.t(), output_);
  at::mm_out(delta_units_, output_, weights.readout.t());
  const at::Tensor recurrent_transposed = weights.recurrent.t();
  for (size_t t = state_.size() - 1; t > 0; --t) {
    BackwardActivation(delta_[t], state_[t]);
    if (t > 1) {
      delta_[t - 1].addmm_(delta_[t], recurrent_transposed);
    } else {
      at::mm_out(delta_[0], delta_[1], recurrent_transposed);
    }
  }
  at::mm_out(gradient.recurrent, previous_.t(), delta_units_);
  at::mm_out(gradient.input, velocity_.t(), delta_units_);
  at::mm_out(gradient.encoder, start_.t(), delta_[0]);
}

}  // namespace gridsweep::integrator

#include "science/integrator/activation.h"

namespace gridsweep::integrator {

using science::Activation;

void Activate(Activation activation, at::Tensor& values) {
  switch (activation) {
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

void ActivateBackward(Activation activation, at::Tensor& gradient, const at::Tensor& values) {
  switch (activation) {
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

}  // namespace gridsweep::integrator

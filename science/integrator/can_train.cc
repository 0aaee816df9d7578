#include <string>
#include <vector>

#include "science/config/trainable.h"
#include "science/integrator/trainer.h"

namespace gridsweep::integrator {

absl::Status CanTrain(const science::RunConfig& config) {
  const auto refusal = science::CheckTrainable(config);
  if (!refusal) return absl::OkStatus();
  std::string what = refusal->parameter;
  if (const auto* parameter = science::FindParameter(what)) {
    what += ": \"" + science::ValueText(parameter->get(config)) + "\"";
  }
  return absl::UnimplementedError(what + ": " + refusal->message);
}

// What CheckTrainable lets through, parameter by parameter.
std::vector<std::string> SupportedFeatures() {
  return {"rnn_type:RNN",
          "activation:relu",
          "activation:tanh",
          "activation:sigmoid",
          "activation:linear",
          "initializer:glorot_uniform",
          "initializer:glorot_normal",
          "initializer:orthogonal",
          "place_field_values:cartesian",
          "place_field_values:high_dim_cartesian",
          "place_field_values:polar",
          "place_field_values:high_dim_polar",
          "place_field_values:gaussian",
          "place_field_values:difference_of_gaussians",
          "place_field_values:true_difference_of_gaussians",
          "place_field_values:general_difference_of_gaussians",
          "place_field_values:softmax_of_differences",
          "place_field_loss:mse",
          "place_field_loss:polarmse",
          "place_field_loss:crossentropy",
          "place_field_loss:binarycrossentropy",
          "optimizer:adam",
          "optimizer:rmsprop",
          "optimizer:sgd",
          "optimizer:adagrad",
          "dropout_mode:published"};
}

}  // namespace gridsweep::integrator

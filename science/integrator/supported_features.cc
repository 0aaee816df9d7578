#include <string>
#include <vector>

#include "science/integrator/trainer.h"

namespace gridsweep::integrator {

std::vector<std::string> SupportedFeatures() {
  return {"rnn_type:RNN",
          "rnn_type:SRNN",
          "rnn_type:GRU",
          "rnn_type:LSTM",
          "rnn_type:UGRNN",
          "rnn_type:BaninoLSTM",
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
          "dropout_mode:published",
          "dropout_mode:keras",
          "dropout_mode:readout"};
}

}  // namespace gridsweep::integrator

#include "science/config/trainable.h"

namespace gridsweep::science {
namespace {

std::optional<ConfigError> Refuse(const char* parameter, const char* only) {
  return ConfigError{parameter, std::string("this version's workers train only ") + only};
}

}  // namespace

std::optional<ConfigError> CheckTrainable(const RunConfig& config) {
  if (config.rnn_type != RnnType::kRnn) return Refuse("rnn_type", "RNN");
  switch (config.place_field_values) {
    case Readout::kCartesian:
    case Readout::kHighDimCartesian:
    case Readout::kGaussian:
    case Readout::kDifferenceOfGaussians:
    case Readout::kTrueDifferenceOfGaussians:
      break;
    default:
      return Refuse("place_field_values",
                    "cartesian, high_dim_cartesian, gaussian, difference_of_gaussians and "
                    "true_difference_of_gaussians");
  }
  if (config.place_field_loss != Loss::kMse && config.place_field_loss != Loss::kCrossEntropy) {
    return Refuse("place_field_loss", "mse and crossentropy");
  }
  if (config.optimizer != Optimizer::kAdam) return Refuse("optimizer", "adam");
  if (config.n_place_fields_per_cell != Draw::Constant(1)) {
    return Refuse("n_place_fields_per_cell", "1");
  }
  // As published, the dropout rates are then without effect.
  if (config.dropout_mode != DropoutMode::kPublished) return Refuse("dropout_mode", "published");
  if (config.n_head_direction_cells != 0) return Refuse("n_head_direction_cells", "0");
  if (config.n_train_trajectories != 0) return Refuse("n_train_trajectories", "0");
  return std::nullopt;
}

}  // namespace gridsweep::science

#include "science/config/trainable.h"

namespace gridsweep::science {
namespace {

std::optional<ConfigError> Refuse(const char* parameter, const char* only) {
  return ConfigError{parameter, std::string("this version's workers train only ") + only};
}

}  // namespace

std::optional<ConfigError> CheckTrainable(const RunConfig& config) {
  if (config.rnn_type != RnnType::kRnn) return Refuse("rnn_type", "RNN");
  // As published, the dropout rates are then without effect.
  if (config.dropout_mode != DropoutMode::kPublished) return Refuse("dropout_mode", "published");
  if (config.n_head_direction_cells != 0) return Refuse("n_head_direction_cells", "0");
  if (config.n_train_trajectories != 0) return Refuse("n_train_trajectories", "0");
  return std::nullopt;
}

}  // namespace gridsweep::science

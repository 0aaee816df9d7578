// One network's configuration, complete: every parameter of the published
// sweeps and ours, with its type, unit and default. `parameters.h` has the
// table of names, ranges and help texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gridsweep::science {

// A number, or a distribution from which one is drawn for each place field
// (Uniform) or each cell (Poisson: 1 + Poisson(rate) fields).
struct Draw {
  enum class Kind { kConstant, kUniform, kPoisson };
  Kind kind = Kind::kConstant;
  double a = 0;  // constant; lower bound; rate
  double b = 0;  // upper bound (kUniform only)

  static Draw Constant(double value) { return {Kind::kConstant, value, 0}; }
  static Draw Uniform(double low, double high) { return {Kind::kUniform, low, high}; }
  static Draw Poisson(double rate) { return {Kind::kPoisson, rate, 0}; }

  double Low() const { return kind == Kind::kPoisson ? 1 : a; }
  double High() const { return kind == Kind::kUniform ? b : a; }
  bool operator==(const Draw&) const = default;
};

enum class RnnType { kRnn, kSrnn, kGru, kLstm, kUgrnn, kBaninoLstm };
enum class Activation { kRelu, kTanh, kSigmoid, kLinear };
enum class Initializer { kGlorotUniform, kGlorotNormal, kOrthogonal };
enum class Readout {
  kCartesian,
  kHighDimCartesian,
  kPolar,
  kHighDimPolar,
  kGaussian,
  kDifferenceOfGaussians,
  kTrueDifferenceOfGaussians,
  kGeneralDifferenceOfGaussians,
  kSoftmaxOfDifferences,
};
enum class Normalization { kNone, kGlobal };
enum class Loss { kMse, kPolarMse, kCrossEntropy, kBinaryCrossEntropy };
enum class Optimizer { kAdam, kRmsprop, kSgd, kAdagrad };
enum class DropoutMode { kPublished, kKeras, kReadout };
enum class ClipScope { kAll, kHeads };

// Lengths in metres, angles in radians, time in steps of 0.02 s.
// Source: SPEC section 12 (names as in the published sweep files).
struct RunConfig {
  RnnType rnn_type = RnnType::kRnn;
  Activation activation = Activation::kRelu;
  Initializer initializer = Initializer::kGlorotUniform;
  int64_t Ng = 1024;
  int64_t lstm_units = 128;
  bool bottleneck_bias = true;

  Readout place_field_values = Readout::kDifferenceOfGaussians;
  Normalization place_field_normalization = Normalization::kGlobal;
  Loss place_field_loss = Loss::kCrossEntropy;
  int64_t Np = 512;
  Draw place_cell_rf = Draw::Constant(0.12);
  Draw surround_scale = Draw::Constant(2.0);
  std::optional<double> place_cell_alpha_e;
  std::optional<double> place_cell_alpha_i;
  Draw n_place_fields_per_cell = Draw::Constant(1);
  bool surround_is_variance_ratio = false;
  int64_t n_head_direction_cells = 0;
  double head_direction_concentration = 20;

  Optimizer optimizer = Optimizer::kAdam;
  double learning_rate = 1e-4;
  double weight_decay = 1e-4;
  double momentum = 0;
  double gradient_clip = 0;
  ClipScope gradient_clip_scope = ClipScope::kAll;
  int64_t batch_size = 200;
  int64_t sequence_length = 20;
  int64_t n_epochs = 20;
  int64_t n_grad_steps_per_epoch = 10000;
  double readout_dropout = 0;
  double recurrent_dropout = 0;
  DropoutMode dropout_mode = DropoutMode::kPublished;
  int64_t n_train_trajectories = 0;

  double box_width_in_m = 2.2;
  double box_height_in_m = 2.2;
  double bin_side_in_m = 0.05;
  bool is_periodic = false;

  int64_t eval_batches = 1;
  int64_t eval_sequence_length = 50;
  int64_t eval_every_n_steps = 0;
  bool sac_mask_unvisited = false;
  int64_t chance_units = 64;
  int64_t chance_shuffles = 100;

  int64_t seed = 0;

  int64_t TotalSteps() const { return n_epochs * n_grad_steps_per_epoch; }
  bool operator==(const RunConfig&) const = default;
};

// True for the readouts made of place fields (all but the Cartesian and polar ones).
constexpr bool IsPlaceCellReadout(Readout readout) {
  return readout != Readout::kCartesian && readout != Readout::kHighDimCartesian &&
         readout != Readout::kPolar && readout != Readout::kHighDimPolar;
}

// True for the readouts that have a surround (and so need surround_scale).
constexpr bool HasSurround(Readout readout) {
  return IsPlaceCellReadout(readout) && readout != Readout::kGaussian;
}

// Raised by hand when a digest in tests/data/science_versions.txt changes, as a
// test demands: results of different versions are never mixed unseen.
inline constexpr uint32_t kScienceVersion = 2;

}  // namespace gridsweep::science

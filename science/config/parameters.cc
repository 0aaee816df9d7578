#include "science/config/parameters.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <type_traits>

#include "science/config/number_text.h"

namespace gridsweep::science {
namespace {

using Names = std::vector<std::string_view>;

// Spellings in the order of each enumeration's values.
template <typename Enum>
const Names& Spellings();

template <>
const Names& Spellings<RnnType>() {
  static const Names names = {"RNN", "SRNN", "GRU", "LSTM", "UGRNN", "BaninoLSTM"};
  return names;
}
template <>
const Names& Spellings<Activation>() {
  static const Names names = {"relu", "tanh", "sigmoid", "linear"};
  return names;
}
template <>
const Names& Spellings<Initializer>() {
  static const Names names = {"glorot_uniform", "glorot_normal", "orthogonal"};
  return names;
}
template <>
const Names& Spellings<Readout>() {
  static const Names names = {"cartesian",
                              "high_dim_cartesian",
                              "polar",
                              "high_dim_polar",
                              "gaussian",
                              "difference_of_gaussians",
                              "true_difference_of_gaussians",
                              "general_difference_of_gaussians",
                              "softmax_of_differences"};
  return names;
}
template <>
const Names& Spellings<Normalization>() {
  static const Names names = {"none", "global"};
  return names;
}
template <>
const Names& Spellings<Loss>() {
  static const Names names = {"mse", "polarmse", "crossentropy", "binarycrossentropy"};
  return names;
}
template <>
const Names& Spellings<Optimizer>() {
  static const Names names = {"adam", "rmsprop", "sgd", "adagrad"};
  return names;
}
template <>
const Names& Spellings<DropoutMode>() {
  static const Names names = {"published", "keras", "readout"};
  return names;
}
template <>
const Names& Spellings<ClipScope>() {
  static const Names names = {"all", "heads"};
  return names;
}

template <typename T>
constexpr bool kIsOptional = std::is_same_v<T, std::optional<double>>;

template <auto Member>
Value Get(const RunConfig& config) {
  const auto& field = config.*Member;
  using T = std::remove_cvref_t<decltype(field)>;
  if constexpr (std::is_enum_v<T>) {
    return std::string(Spellings<T>()[static_cast<size_t>(field)]);
  } else if constexpr (kIsOptional<T>) {
    if (!field) return std::monostate();
    return *field;
  } else {
    return field;
  }
}

template <auto Member>
void Set(RunConfig& config, const Value& value) {
  auto& field = config.*Member;
  using T = std::remove_cvref_t<decltype(field)>;
  if constexpr (std::is_enum_v<T>) {
    const Names& names = Spellings<T>();
    const auto at = std::find(names.begin(), names.end(), std::get<std::string>(value));
    field = static_cast<T>(at - names.begin());
  } else if constexpr (kIsOptional<T>) {
    if (std::holds_alternative<std::monostate>(value)) {
      field.reset();
    } else {
      field = std::get<double>(value);
    }
  } else {
    field = std::get<T>(value);
  }
}

template <typename T>
constexpr ParameterKind KindOf() {
  if constexpr (std::is_enum_v<T>) return ParameterKind::kChoice;
  if constexpr (std::is_same_v<T, bool>) return ParameterKind::kBool;
  if constexpr (std::is_same_v<T, int64_t>) return ParameterKind::kInt;
  if constexpr (std::is_same_v<T, Draw>) return ParameterKind::kDraw;
  return ParameterKind::kDouble;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Sizes are 32-bit columns in the database.
constexpr double kMaxInt = 2147483647;
// Whole numbers that every JSON reader keeps exact.
constexpr double kMaxSeed = 9007199254740991;

struct Bounds {
  double min = 0, max = kInfinity;
  bool min_excluded = false, max_excluded = false;
};
constexpr Bounds kAtLeastZero{0}, kAboveZero{.min = 0, .min_excluded = true};
constexpr Bounds kCount{.min = 1, .max = kMaxInt}, kCountOrZero{.min = 0, .max = kMaxInt};
constexpr Bounds kFraction{.min = 0, .max = 1, .max_excluded = true};

std::string BoundsText(const Bounds& bounds) {
  if (bounds.max == 1) return "[0, 1)";
  std::string text = (bounds.min_excluded ? "> " : ">= ") + NumberText(bounds.min);
  return text;
}

std::string List(const Names& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

template <auto Member>
Parameter Make(std::string_view name, std::string_view unit, std::string_view help,
               const Bounds& bounds = {}, std::string_view default_text = "",
               std::string_view range = "") {
  using T = std::remove_cvref_t<decltype(std::declval<RunConfig>().*Member)>;
  Parameter parameter;
  parameter.name = name;
  parameter.kind = KindOf<T>();
  parameter.unit = unit;
  parameter.help = help;
  if constexpr (std::is_enum_v<T>) {
    parameter.choices = Spellings<T>();
    parameter.range = List(parameter.choices);
  } else if constexpr (std::is_same_v<T, bool>) {
    parameter.range = "true or false";
  } else {
    parameter.range = BoundsText(bounds);
  }
  if (!range.empty()) parameter.range = range;
  parameter.min = bounds.min;
  parameter.max = bounds.max;
  parameter.min_excluded = bounds.min_excluded;
  parameter.max_excluded = bounds.max_excluded;
  parameter.get = &Get<Member>;
  parameter.set = &Set<Member>;
  parameter.default_text =
      default_text.empty() ? ValueText(parameter.get(RunConfig{})) : std::string(default_text);
  return parameter;
}

#define PARAMETER(member, ...) Make<&RunConfig::member>(#member, __VA_ARGS__)

std::vector<Parameter> BuildTable() {
  std::vector<Parameter> table = {
      PARAMETER(rnn_type, "", "network; any case; VanillaRNN is another name of SRNN"),
      PARAMETER(activation, "", "activation function of the network; BaninoLSTM has tanh"),
      PARAMETER(initializer, "", "initial recurrent kernel"),
      PARAMETER(Ng, "units", "recurrent units, the ones that are scored", kCount),
      PARAMETER(lstm_units, "units", "size of the LSTM of BaninoLSTM; ignored elsewhere", kCount),
      PARAMETER(bottleneck_bias, "", "BaninoLSTM: whether its bottleneck has a bias"),

      PARAMETER(place_field_values, "", "readout: what the network learns to say", {}, "required"),
      PARAMETER(place_field_normalization, "", "global: softmax over cells; none: each by itself",
                {}, "global; none for the four Cartesian and polar readouts"),
      PARAMETER(place_field_loss, "", "training loss; crossentropy needs normalization global", {},
                "crossentropy with normalization global; polarmse for polar; else mse"),
      PARAMETER(Np, "units",
                "readout units; 2 for cartesian and polar, even for high_dim_polar, at least 3 for "
                "place cells",
                kCount, "512; 2 for cartesian and polar"),
      PARAMETER(place_cell_rf, "m", "width of a place field; ignored where the readout has none",
                {}, "", "> 0 or Uniform( a , b ); 0 where ignored"),
      PARAMETER(surround_scale, "1",
                "width of the surround / width of the field; ignored where the readout has none",
                {}, "",
                "> 1 or Uniform( a , b ) with a > 1; > 0 for general_difference_of_gaussians; any "
                ">= 0 where ignored"),
      PARAMETER(place_cell_alpha_e, "1", "height of the centre; general_difference_of_gaussians",
                kAtLeastZero, "none; required by general_difference_of_gaussians"),
      PARAMETER(place_cell_alpha_i, "1", "height of the surround; general_difference_of_gaussians",
                kAtLeastZero, "none; required by general_difference_of_gaussians"),
      PARAMETER(n_place_fields_per_cell, "fields", "place fields of one cell", {}, "",
                "whole number from 1 to 100, or Poisson( r ) with r > 0: 1 + Poisson(r) per cell"),
      PARAMETER(surround_is_variance_ratio, "",
                "surround_scale is a ratio of variances, not of widths"),
      PARAMETER(n_head_direction_cells, "cells", "a second readout of head direction; 0 = none",
                kCountOrZero),
      PARAMETER(head_direction_concentration, "1", "concentration of the head-direction cells",
                kAboveZero),

      PARAMETER(optimizer, "", "optimiser, as in Keras"),
      PARAMETER(learning_rate, "1", "learning rate", kAboveZero),
      PARAMETER(weight_decay, "1",
                "times the sum of squares of the recurrent kernel; BaninoLSTM: half that of its "
                "heads",
                kAtLeastZero),
      PARAMETER(momentum, "1", "momentum; rmsprop only", kFraction),
      PARAMETER(gradient_clip, "1", "bound of each gradient element; 0 = none", kAtLeastZero),
      PARAMETER(gradient_clip_scope, "", "gradients that are clipped"),
      PARAMETER(batch_size, "walks", "trajectories a step", kCount),
      PARAMETER(sequence_length, "steps", "length of a training trajectory, steps of 0.02 s",
                kCount),
      PARAMETER(n_epochs, "1", "epochs; 0 = an untrained network", kCountOrZero),
      PARAMETER(n_grad_steps_per_epoch, "steps", "gradient steps an epoch", kCount),
      PARAMETER(readout_dropout, "1", "dropout rate; its place depends on dropout_mode", kFraction),
      PARAMETER(recurrent_dropout, "1", "dropout rate of the recurrent state", kFraction),
      PARAMETER(dropout_mode, "",
                "published: off whatever the rates; keras: as Keras would; readout: before the "
                "readout"),
      PARAMETER(n_train_trajectories, "walks",
                "0 = fresh ones every step, else that many, reshuffled every epoch", kCountOrZero,
                "", "0, or >= batch_size"),

      PARAMETER(box_width_in_m, "m", "width of the box, a whole number of bins", kAboveZero),
      PARAMETER(box_height_in_m, "m", "height of the box, a whole number of bins", kAboveZero),
      PARAMETER(bin_side_in_m, "m", "side of a ratemap's bin", kAboveZero),
      PARAMETER(is_periodic, "", "whether the box is a torus"),

      PARAMETER(eval_batches, "batches", "batches of the evaluation", kCount),
      PARAMETER(eval_sequence_length, "steps", "length of an evaluation trajectory", kCount),
      PARAMETER(eval_every_n_steps, "steps", "evaluate during training too; 0 = at its end only",
                kCountOrZero),
      PARAMETER(sac_mask_unvisited, "", "leave unvisited bins out of the autocorrelogram"),
      PARAMETER(chance_units, "units", "units of the chance level of scores; 0 = off",
                kCountOrZero),
      PARAMETER(chance_shuffles, "shuffles", "shuffles a unit of the chance level; 0 = off",
                kCountOrZero),

      PARAMETER(seed, "1", "seed of all randomness of the run", Bounds{.min = 0, .max = kMaxSeed}),
  };
  std::sort(table.begin(), table.end(),
            [](const Parameter& a, const Parameter& b) { return a.name < b.name; });
  return table;
}

#undef PARAMETER

bool EqualWithoutCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace

std::span<const Parameter> Parameters() {
  static const std::vector<Parameter> table = BuildTable();
  return table;
}

const Parameter* FindParameter(std::string_view name) {
  const auto table = Parameters();
  const auto at = std::lower_bound(
      table.begin(), table.end(), name,
      [](const Parameter& parameter, std::string_view wanted) { return parameter.name < wanted; });
  return at != table.end() && at->name == name ? &*at : nullptr;
}

std::optional<std::string_view> FindChoice(const Parameter& parameter, std::string_view text) {
  const bool any_case = parameter.name == "rnn_type";
  if (any_case && EqualWithoutCase(text, "VanillaRNN")) return "SRNN";
  for (std::string_view choice : parameter.choices) {
    if (choice == text || (any_case && EqualWithoutCase(choice, text))) return choice;
  }
  return std::nullopt;
}

void ApplyDependentDefaults(RunConfig& config, const std::function<bool(std::string_view)>& given) {
  const Readout readout = config.place_field_values;
  const bool place_cells = IsPlaceCellReadout(readout);
  if (!given("place_field_normalization")) {
    config.place_field_normalization = place_cells ? Normalization::kGlobal : Normalization::kNone;
  }
  if (!given("place_field_loss")) {
    if (place_cells && config.place_field_normalization == Normalization::kGlobal) {
      config.place_field_loss = Loss::kCrossEntropy;
    } else {
      config.place_field_loss = readout == Readout::kPolar ? Loss::kPolarMse : Loss::kMse;
    }
  }
  if (!given("Np")) {
    config.Np = readout == Readout::kCartesian || readout == Readout::kPolar ? 2 : 512;
  }
}

std::string ValueText(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(int64_t i) const { return std::to_string(i); }
    std::string operator()(double d) const { return NumberText(d); }
    std::string operator()(const std::string& s) const { return s; }
    std::string operator()(const Draw& draw) const { return DrawText(draw); }
  };
  return std::visit(Visitor{}, value);
}

}  // namespace gridsweep::science

// What a configuration may be: ranges of single values, and combinations.
#include <cmath>

#include "science/config/number_text.h"
#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

constexpr double kMaxFieldsPerCell = 100;

std::string CheckDraw(const Parameter& parameter, const Draw& draw) {
  const std::string text = DrawText(draw);
  if (parameter.name == "n_place_fields_per_cell") {
    const bool good = draw.kind == Draw::Kind::kPoisson
                          ? draw.a > 0 && draw.a <= kMaxFieldsPerCell
                          : draw.kind == Draw::Kind::kConstant && draw.a >= 1 &&
                                draw.a <= kMaxFieldsPerCell && draw.a == std::floor(draw.a);
    return good ? "" : text + " is not a " + parameter.range;
  }
  switch (draw.kind) {
    case Draw::Kind::kConstant:
      return draw.a >= 0 ? "" : text + " is negative; allowed: " + parameter.range;
    case Draw::Kind::kUniform:
      if (draw.a < 0) return text + " can be negative; allowed: " + parameter.range;
      if (draw.a > draw.b)
        return text + " has its bounds in the wrong order: write the lower first";
      return "";
    case Draw::Kind::kPoisson:
      return text + " is for n_place_fields_per_cell alone; allowed: " + parameter.range;
  }
  return "";
}

// The whole-number columns are 32 bits wide, so a limit may bind that `range` does not name.
std::string CheckNumber(const Parameter& parameter, double value, const std::string& text) {
  if (!std::isfinite(value)) return text + " is not a finite number";
  if (value < parameter.min || (parameter.min_excluded && value == parameter.min)) {
    return text + " is not " + parameter.range;
  }
  if (value > parameter.max || (parameter.max_excluded && value == parameter.max)) {
    return text + " is too large; allowed: " +
           (parameter.max_excluded ? parameter.range : "at most " + NumberText(parameter.max));
  }
  return "";
}

// True when `length` is a whole number of bins, up to rounding.
bool WholeBins(double length, double bin) {
  const double bins = length / bin;
  return bins >= 0.5 && std::abs(bins - std::round(bins)) < 1e-6 * std::max(1.0, bins);
}

class CombinationCheck {
 public:
  CombinationCheck(const RunConfig& config, std::vector<ConfigError>& errors)
      : config_(config), errors_(errors) {}

  void Run() {
    CheckLoss();
    CheckSizes();
    CheckFields();
    CheckBox();
    CheckTraining();
  }

 private:
  std::string ReadoutName() const { return Text("place_field_values"); }
  std::string Text(std::string_view name) const {
    return ValueText(FindParameter(name)->get(config_));
  }
  void Add(std::string_view parameter, std::string message,
           std::vector<std::string_view> together_with) {
    errors_.push_back({std::string(parameter), std::move(message), std::move(together_with)});
  }

  void CheckLoss() {
    const bool place_cells = IsPlaceCellReadout(config_.place_field_values);
    switch (config_.place_field_loss) {
      case Loss::kMse:
        return;
      case Loss::kCrossEntropy:
        if (!place_cells) {
          Add("place_field_loss",
              "crossentropy needs targets that are a distribution over cells, and " +
                  ReadoutName() + " has none; use mse",
              {"place_field_values"});
        } else if (config_.place_field_normalization != Normalization::kGlobal) {
          Add("place_field_loss",
              "crossentropy needs place_field_normalization global, which is " +
                  Text("place_field_normalization") + " here; set it to global, or use mse",
              {"place_field_normalization"});
        }
        return;
      case Loss::kBinaryCrossEntropy:
        if (!place_cells) {
          Add("place_field_loss",
              "binarycrossentropy needs targets between 0 and 1, and " + ReadoutName() +
                  " has others; use mse",
              {"place_field_values"});
        }
        return;
      case Loss::kPolarMse:
        if (config_.place_field_values != Readout::kPolar) {
          Add("place_field_loss",
              "polarmse compares a radius and an angle, which only the polar readout has, not " +
                  ReadoutName() + "; use mse",
              {"place_field_values"});
        }
        return;
    }
  }

  void CheckSizes() {
    const auto readout = config_.place_field_values;
    const std::string np = std::to_string(config_.Np);
    if (readout == Readout::kCartesian || readout == Readout::kPolar) {
      if (config_.Np != 2) {
        Add("Np", np + " with readout " + ReadoutName() + ", which has exactly 2 units; use Np 2",
            {"place_field_values"});
      }
    } else if (readout == Readout::kHighDimPolar) {
      if (config_.Np % 2 != 0) {
        Add("Np",
            np + " with readout high_dim_polar, which needs an even number: half of its units "
                 "encode the radius, half the angle",
            {"place_field_values"});
      }
    } else if (IsPlaceCellReadout(readout) && config_.Np < 3) {
      Add("Np",
          np + " with readout " + ReadoutName() +
              ", whose position is decoded from the 3 most active cells; use Np >= 3",
          {"place_field_values"});
    }
  }

  void CheckFields() {
    const auto readout = config_.place_field_values;
    if (IsPlaceCellReadout(readout) && config_.place_cell_rf.Low() <= 0) {
      Add("place_cell_rf",
          Text("place_cell_rf") + " with readout " + ReadoutName() +
              ", which needs widths > 0 m; the published ones are 0.05 to 0.5",
          {"place_field_values"});
    }
    if (readout == Readout::kGeneralDifferenceOfGaussians) {
      CheckGeneral();
    } else if (HasSurround(readout) && config_.surround_scale.Low() <= 1) {
      Add("surround_scale",
          Text("surround_scale") + " with readout " + ReadoutName() +
              ", which needs > 1 in every draw: at 1 centre and surround cancel and nothing is "
              "left to learn; use for example 2",
          {"place_field_values"});
    }
  }

  void CheckGeneral() {
    const auto alpha_e = config_.place_cell_alpha_e, alpha_i = config_.place_cell_alpha_i;
    const auto missing = [&](std::string_view name) {
      Add(name,
          "general_difference_of_gaussians needs place_cell_alpha_e and place_cell_alpha_i; " +
              std::string(name) + " is missing",
          {"place_field_values"});
    };
    if (!alpha_e) missing("place_cell_alpha_e");
    if (!alpha_i) missing("place_cell_alpha_i");
    if (config_.surround_scale.Low() <= 0) {
      Add("surround_scale",
          Text("surround_scale") + " with readout general_difference_of_gaussians, which needs > 0",
          {"place_field_values"});
    }
    if (alpha_e && alpha_i && *alpha_e == *alpha_i &&
        (*alpha_e == 0 || config_.surround_scale == Draw::Constant(1))) {
      Add("place_cell_alpha_i",
          NumberText(*alpha_i) + " equals place_cell_alpha_e" +
              (*alpha_e == 0 ? std::string(": both heights are 0")
                             : std::string(" at surround_scale 1: centre and surround cancel")) +
              " and nothing is left to learn",
          {"place_field_values", "place_cell_alpha_e", "surround_scale"});
    }
  }

  void CheckBox() {
    const auto check = [&](std::string_view name, double length) {
      if (WholeBins(length, config_.bin_side_in_m)) return;
      Add(name,
          NumberText(length) + " m is not a whole number of bins of " +
              NumberText(config_.bin_side_in_m) + " m; change it or bin_side_in_m",
          {"bin_side_in_m"});
    };
    check("box_width_in_m", config_.box_width_in_m);
    check("box_height_in_m", config_.box_height_in_m);
  }

  void CheckTraining() {
    if (config_.momentum != 0 && config_.optimizer != Optimizer::kRmsprop) {
      Add("momentum",
          NumberText(config_.momentum) + " with optimizer " + Text("optimizer") +
              "; momentum is for rmsprop alone: use 0",
          {"optimizer"});
    }
    if (config_.n_train_trajectories > 0 && config_.n_train_trajectories < config_.batch_size) {
      Add("n_train_trajectories",
          std::to_string(config_.n_train_trajectories) + " do not fill one batch of " +
              std::to_string(config_.batch_size) +
              "; use at least batch_size, or 0 for fresh ones every step",
          {"batch_size"});
    }
  }

  const RunConfig& config_;
  std::vector<ConfigError>& errors_;
};

}  // namespace

std::string CheckValue(const Parameter& parameter, const Value& value) {
  switch (parameter.kind) {
    case ParameterKind::kInt: {
      const int64_t number = std::get<int64_t>(value);
      return CheckNumber(parameter, static_cast<double>(number), std::to_string(number));
    }
    case ParameterKind::kDouble: {
      const double* number = std::get_if<double>(&value);
      return number ? CheckNumber(parameter, *number,
                                  std::isfinite(*number) ? NumberText(*number) : "nan or inf")
                    : "";
    }
    case ParameterKind::kDraw: {
      const Draw& draw = std::get<Draw>(value);
      if (!std::isfinite(draw.a) || !std::isfinite(draw.b)) return "it is not a finite number";
      return CheckDraw(parameter, draw);
    }
    case ParameterKind::kBool:
    case ParameterKind::kChoice:
      return "";
  }
  return "";
}

std::vector<ConfigError> CheckConfig(const RunConfig& config) {
  std::vector<ConfigError> errors;
  for (const Parameter& parameter : Parameters()) {
    if (parameter.kind == ParameterKind::kBool || parameter.kind == ParameterKind::kChoice) {
      continue;
    }
    std::string message = CheckValue(parameter, parameter.get(config));
    if (!message.empty()) errors.push_back({std::string(parameter.name), std::move(message)});
  }
  // Combinations of values that are themselves out of range would be reported twice.
  if (errors.empty()) CombinationCheck(config, errors).Run();
  return errors;
}

}  // namespace gridsweep::science

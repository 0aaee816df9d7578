// The table of all parameters: name, kind, unit, range, default, help. Sweep
// files, canonical configs, proto conversion and docs are all driven by it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::science {

// A parameter's value, as a sweep file or the database writes it. Enumerated
// parameters are strings; monostate = absent (place_cell_alpha_e and _i only).
using Value = std::variant<std::monostate, bool, int64_t, double, std::string, Draw>;

enum class ParameterKind { kBool, kInt, kDouble, kChoice, kDraw };

struct Parameter {
  std::string_view name;  // the published name
  ParameterKind kind;
  std::string_view unit;                  // "m", "1", ...
  std::string_view help;                  // one line: what it is
  std::string range;                      // "> 0", "[0, 1)", "relu, tanh, sigmoid or linear"
  std::string default_text;               // "0.12", "512; 2 for cartesian and polar", "required"
  std::vector<std::string_view> choices;  // kChoice only, canonical spelling
  // kInt and kDouble only; `max` is +inf where there is no limit.
  double min = 0, max = 0;
  bool min_excluded = false, max_excluded = false;
  Value (*get)(const RunConfig&) = nullptr;
  // Precondition: `value` has this parameter's kind (and is one of `choices`).
  void (*set)(RunConfig&, const Value&) = nullptr;
};

// All parameters in the order of their names (bytewise).
std::span<const Parameter> Parameters();
const Parameter* FindParameter(std::string_view name);

// The canonical spelling of a choice, or nullopt when `text` is none of
// `parameter.choices`. rnn_type is compared without case; VanillaRNN is SRNN.
std::optional<std::string_view> FindChoice(const Parameter& parameter, std::string_view text);

// Fills in the defaults that depend on other parameters (place_field_normalization,
// place_field_loss, Np) where `given(name)` is false. Source: docs/science.md.
void ApplyDependentDefaults(RunConfig& config,
                            const std::function<bool(std::string_view name)>& given);

// What is wrong with `value` whatever the other parameters are, for example
// "-1 is not > 0"; empty when nothing is. Precondition as for Parameter::set.
std::string CheckValue(const Parameter& parameter, const Value& value);

// What is wrong with a complete configuration: range of each parameter and
// combinations that cannot be. Empty when all is well.
struct ConfigError {
  std::string parameter;  // the one to mend
  std::string message;    // the value, what is allowed, the fix
  // The other parameters whose values make it an error; empty when
  // `parameter` is out of its own range.
  std::vector<std::string_view> together_with = {};
};
std::vector<ConfigError> CheckConfig(const RunConfig& config);

// "0.12", "Uniform( 0.06 , 0.18 )", "Poisson( 3.0 )": the published text form,
// numbers shortest round-trip. ParseDraw takes any blanks between the parts.
std::string DrawText(const Draw& draw);
std::optional<Draw> ParseDraw(std::string_view text);

// "0.12", "true", "relu", "Uniform( 0.06 , 0.18 )"; "null" for an absent one.
std::string ValueText(const Value& value);

// The parameters that decide a readout's outputs, the seed that draws it aside.
std::span<const std::string_view> ReadoutParameterNames();
// What is left of `config` when only its readout counts: all other parameters,
// and those that this kind of readout does not use, have their plain defaults.
RunConfig ReadoutOf(const RunConfig& config);

// "DoS multi-scale multi-field" and "DoS". Source: docs/science.md.
std::string ReadoutLabel(const RunConfig& config);
std::string ReadoutFamily(const RunConfig& config);

// Training cost in flop: 3 * 2 B T (c Ng^2 + Ng Np) a step, c by network.
double TrainingFlop(const RunConfig& config);

}  // namespace gridsweep::science

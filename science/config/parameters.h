// The table of all parameters: name, kind, unit, range, default, help. Sweep
// files, canonical configs, proto conversion and docs are all driven by it.
#pragma once

#include <cstdint>
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
  std::string_view help;                  // one line, range included
  std::vector<std::string_view> choices;  // kChoice only, canonical spelling
  Value (*get)(const RunConfig&);
  // Precondition: `value` has this parameter's kind (and is one of `choices`).
  void (*set)(RunConfig&, const Value&);
};

// All parameters in the order of their names (bytewise).
std::span<const Parameter> Parameters();
const Parameter* FindParameter(std::string_view name);

// Fills in the defaults that depend on other parameters (place_field_normalization,
// place_field_loss, Np) where `given(name)` is false. Source: SPEC section 12.
void ApplyDependentDefaults(RunConfig& config,
                            bool (*given)(std::string_view name, const void* context),
                            const void* context);

// What is wrong with a complete configuration: range of each parameter and
// combinations that cannot be. Empty when all is well.
struct ConfigError {
  std::string parameter;  // the one to mend
  std::string message;    // the value, what is allowed, the fix
};
std::vector<ConfigError> CheckConfig(const RunConfig& config);

// "0.12", "Uniform( 0.06 , 0.18 )", "Poisson( 3.0 )": the published text form,
// numbers shortest round-trip.
std::string DrawText(const Draw& draw);
std::optional<Draw> ParseDraw(std::string_view text);

// "DoS multi-scale multi-field" and "DoS". Source: SPEC section 2.
std::string ReadoutLabel(const RunConfig& config);
std::string ReadoutFamily(const RunConfig& config);

// Training cost in flop: 3 * 2 B T (c Ng^2 + Ng Np) a step. Source: SPEC section 9.
double TrainingFlop(const RunConfig& config);

}  // namespace gridsweep::science

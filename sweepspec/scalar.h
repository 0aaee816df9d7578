// One value as a file writes it, and its meaning for a parameter.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "science/config/parameters.h"

namespace gridsweep::sweepspec {

// null, true, 1, 1.0, "text".
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string>;

// As a message shows it: null, true, 0.12, "relu" (in quotes).
std::string ScalarText(const Scalar& scalar);

// Why an integral `number` beyond 2^53 is refused as a whole number.
std::string TooLarge(double number);

// A parameter's value, or what is wrong with it (`error` not empty). Integral
// numbers serve integer parameters (1.0 is 1); text never serves as a number
// nor a number as text. The value's own range is checked, combinations are not.
struct ParsedValue {
  science::Value value;
  std::string error;
};
ParsedValue ParseValue(const science::Parameter& parameter, const Scalar& scalar);

// The names of all parameters.
std::vector<std::string_view> ParameterNames();
// `"Mg" is not a parameter (did you mean "Ng"?)`
std::string UnknownParameter(std::string_view name);

}  // namespace gridsweep::sweepspec

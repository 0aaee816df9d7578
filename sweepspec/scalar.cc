#include "sweepspec/scalar.h"

#include <absl/strings/str_format.h>

#include <cmath>
#include <optional>

#include "science/config/number_text.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

using science::Draw;
using science::Parameter;
using science::ParameterKind;
using science::Value;

std::optional<double> AsNumber(const Scalar& scalar) {
  if (const auto* integer = std::get_if<int64_t>(&scalar)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&scalar)) return *number;
  return std::nullopt;
}

ParsedValue Wrong(const Parameter& parameter, const Scalar& scalar, std::string_view wanted) {
  std::string error = ScalarText(scalar) + " is not " + std::string(wanted) + "; allowed: ";
  error += parameter.range;
  const auto* text = std::get_if<std::string>(&scalar);
  const auto number = text ? science::ParseDraw(*text) : std::nullopt;
  if (number && number->kind == Draw::Kind::kConstant) error += " (write it without quotes)";
  // Uniform( 0.1 , 0.2 ) inside [...] or {...}, where a comma ends a value.
  if (text && text->starts_with("Uniform(") && !text->ends_with(')')) {
    error += " (put quotes round it: inside [...] and {...} a comma ends the value)";
  }
  return {{}, error};
}

ParsedValue ParseInt(const Parameter& parameter, const Scalar& scalar) {
  if (const auto* integer = std::get_if<int64_t>(&scalar)) return {*integer, ""};
  const auto* number = std::get_if<double>(&scalar);
  // Beyond 2^53 a double no longer names one whole number.
  if (number && std::isfinite(*number) && *number == std::floor(*number) &&
      std::abs(*number) <= 9007199254740992.0) {
    return {static_cast<int64_t>(*number), ""};
  }
  if (number && std::isfinite(*number) && *number == std::floor(*number)) {
    return {{}, TooLarge(*number) + "; allowed: " + std::string(parameter.range)};
  }
  return Wrong(parameter, scalar, "a whole number");
}

ParsedValue ParseChoice(const Parameter& parameter, const Scalar& scalar) {
  const auto* text = std::get_if<std::string>(&scalar);
  if (!text) {
    return {{}, ScalarText(scalar) + " is not a name; it is one of " + Join(parameter.choices)};
  }
  if (const auto choice = FindChoice(parameter, *text)) return {std::string(*choice), ""};
  if (parameter.name == "place_field_normalization" && *text == "local") {
    return {{},
            "\"local\" is named in published sweeps, but no published code implements it, so "
            "there is nothing to reproduce; use global or none"};
  }
  return {{},
          Quoted(*text) + " is not one of " + Join(parameter.choices) +
              DidYouMean(*text, parameter.choices)};
}

ParsedValue ParseDrawValue(const Parameter& parameter, const Scalar& scalar) {
  if (const auto number = AsNumber(scalar)) return {Draw::Constant(*number), ""};
  if (const auto* text = std::get_if<std::string>(&scalar)) {
    const auto draw = science::ParseDraw(*text);
    if (draw && draw->kind != Draw::Kind::kConstant) return {*draw, ""};
  }
  return Wrong(parameter, scalar, "a number or a distribution");
}

}  // namespace

std::string TooLarge(double number) {
  const std::string text = absl::StrFormat("%.3g", number);
  return std::abs(number) < 0x1p63
             ? text + " is too large to be exact: write its digits, without point or exponent"
             : text + " is beyond the whole numbers of 64 bits, up to 9223372036854775807";
}

std::string ScalarText(const Scalar& scalar) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(int64_t i) const { return std::to_string(i); }
    std::string operator()(double d) const {
      if (std::isnan(d)) return "nan";
      if (std::isinf(d)) return d > 0 ? "inf" : "-inf";
      return science::NumberText(d);
    }
    std::string operator()(const std::string& s) const { return Quoted(s); }
  };
  return std::visit(Visitor{}, scalar);
}

ParsedValue ParseValue(const Parameter& parameter, const Scalar& scalar) {
  ParsedValue parsed;
  switch (parameter.kind) {
    case ParameterKind::kBool:
      if (const auto* flag = std::get_if<bool>(&scalar)) {
        parsed.value = *flag;
      } else {
        parsed.error = ScalarText(scalar) + " is not true or false";
      }
      break;
    case ParameterKind::kInt:
      parsed = ParseInt(parameter, scalar);
      break;
    case ParameterKind::kDouble:
      if (const auto number = AsNumber(scalar)) {
        parsed.value = *number;
      } else {
        parsed = Wrong(parameter, scalar, "a number");
      }
      break;
    case ParameterKind::kChoice:
      parsed = ParseChoice(parameter, scalar);
      break;
    case ParameterKind::kDraw:
      parsed = ParseDrawValue(parameter, scalar);
      break;
  }
  if (parsed.error.empty()) parsed.error = science::CheckValue(parameter, parsed.value);
  return parsed;
}

std::vector<std::string_view> ParameterNames() {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : science::Parameters()) names.push_back(parameter.name);
  return names;
}

std::string UnknownParameter(std::string_view name) {
  return Quoted(name) + " is not a parameter" + DidYouMean(name, ParameterNames());
}

}  // namespace gridsweep::sweepspec

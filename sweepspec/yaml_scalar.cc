#include "sweepspec/yaml_scalar.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>

namespace gridsweep::sweepspec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The parts of a decimal number, with YAML 1.1's underscores taken out.
struct Decimal {
  std::string text;
  bool sign = false, point = false, exponent = false, signed_exponent = false;
  bool digits_before_point = false;
  bool leading_zero = false;  // 010: octal to YAML 1.1
};

std::optional<Decimal> ReadDecimal(std::string_view text) {
  Decimal decimal;
  size_t i = 0, digits = 0;
  const auto take_digits = [&] {
    size_t count = 0;
    for (; i < text.size() && (IsDigit(text[i]) || (count > 0 && text[i] == '_')); ++i) {
      if (text[i] != '_') decimal.text += text[i];
      ++count;
    }
    return count;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
    if (text[i] == '-') decimal.text += '-';
    decimal.sign = true;
    ++i;
  }
  const size_t first = i;
  digits = take_digits();
  decimal.digits_before_point = digits > 0;
  decimal.leading_zero = digits > 1 && text[first] == '0';
  if (i < text.size() && text[i] == '.') {
    decimal.point = true;
    decimal.text += '.';
    ++i;
    digits += take_digits();
  }
  if (digits == 0) return std::nullopt;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    decimal.exponent = true;
    decimal.text += 'e';
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) {
      decimal.signed_exponent = true;
      if (text[i] == '-') decimal.text += '-';
      ++i;
    }
    if (take_digits() == 0) return std::nullopt;
  }
  if (i != text.size()) return std::nullopt;
  return decimal;
}

// from_chars answers out_of_range for what strtod takes to 0 or infinity.
double ToDouble(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return std::strtod(text.c_str(), nullptr);
  return value;
}

void ReadNumber(const Decimal& decimal, PlainScalar& plain) {
  if (!decimal.point && !decimal.exponent) {
    int64_t integer = 0;
    const auto [end, error] =
        std::from_chars(decimal.text.data(), decimal.text.data() + decimal.text.size(), integer);
    if (error == std::errc()) {
      plain.scalar = integer;
    } else {
      plain.scalar = ToDouble(decimal.text);
    }
    plain.octal_to_wandb = decimal.leading_zero;
    return;
  }
  plain.scalar = ToDouble(decimal.text);
  // YAML 1.1 wants a point, a digit between a sign and the point, and a sign in the exponent.
  if (decimal.point && (decimal.digits_before_point || !decimal.sign) &&
      (!decimal.exponent || decimal.signed_exponent)) {
    return;
  }
  const size_t e = decimal.text.find('e');
  std::string digits = decimal.text.substr(0, e);
  if (!decimal.point) digits += ".0";
  if (!decimal.digits_before_point) digits.insert(digits.find('.'), 1, '0');
  plain.wandb_spelling = digits;
  if (decimal.exponent) {
    const std::string exponent = decimal.text.substr(e + 1);
    plain.wandb_spelling += exponent[0] == '-' ? "e" : "e+";
    plain.wandb_spelling += exponent;
  }
}

}  // namespace

bool OneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

PlainScalar ReadPlainScalar(const std::string& text) {
  PlainScalar plain;
  if (OneOf(text, {"", "~", "null", "Null", "NULL"})) return plain;
  if (OneOf(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) {
    plain.scalar = true;
  } else if (OneOf(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})) {
    plain.scalar = false;
  } else if (OneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    plain.scalar = std::numeric_limits<double>::infinity();
  } else if (OneOf(text, {"-.inf", "-.Inf", "-.INF"})) {
    plain.scalar = -std::numeric_limits<double>::infinity();
  } else if (OneOf(text, {".nan", ".NaN", ".NAN"})) {
    plain.scalar = std::numeric_limits<double>::quiet_NaN();
  } else if (const auto decimal = ReadDecimal(text)) {
    ReadNumber(*decimal, plain);
  } else {
    plain.scalar = text;
  }
  return plain;
}

}  // namespace gridsweep::sweepspec

#include "science/config/number_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace gridsweep::science {

std::string NumberText(double value) {
  if (value == 0) return "0";
  char buffer[40];
  char* const end =
      std::to_chars(buffer, buffer + sizeof(buffer) - 1, value, std::chars_format::scientific).ptr;
  *end = '\0';
  // "-d.ddde-05": sign, digits and exponent apart.
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  std::string sign;
  if (text.front() == '-') {
    sign = "-";
    text.remove_prefix(1);
  }
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.data() + e + 1);
  std::string digits;
  for (char c : text.substr(0, e)) {
    if (c != '.') digits.push_back(c);
  }
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (count <= point && point <= 21) {
    digits.append(static_cast<size_t>(point - count), '0');
    return sign + digits;
  }
  if (0 < point && point <= 21) {
    digits.insert(static_cast<size_t>(point), 1, '.');
    return sign + digits;
  }
  if (-6 < point && point <= 0) {
    digits.insert(0, static_cast<size_t>(-point), '0');
    return sign + "0." + digits;
  }
  std::string mantissa = digits.substr(0, 1);
  if (count > 1) mantissa.append(".").append(digits, 1);
  return sign + mantissa + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
}

double Tidy(double value) {
  // A whole number has no such noise, and may need more digits.
  if (value == std::floor(value)) return value;
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::general, 15).ptr;
  double tidy = value;
  std::from_chars(buffer, end, tidy);
  return tidy;
}

}  // namespace gridsweep::science

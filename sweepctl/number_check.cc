#include "sweepctl/number_check.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

template <typename Value>
std::optional<Value> Parse(const std::string& text) {
  Value value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string Unless(bool good, const std::string& text, const std::string& what) {
  return good ? std::string() : StrCat("\"", text, "\" is not ", what);
}

}  // namespace

CLI::Validator WholeNumberFrom(int64_t lowest) {
  return CLI::Validator(
      [lowest](std::string& text) {
        const auto value = Parse<int64_t>(text);
        return Unless(value && *value >= lowest, text,
                      StrCat("a whole number from ", lowest, " on"));
      },
      "");
}

CLI::Validator PositiveReal() {
  return CLI::Validator(
      [](std::string& text) {
        const auto value = Parse<double>(text);
        return Unless(value && std::isfinite(*value) && *value > 0, text, "a number above 0");
      },
      "");
}

CLI::Validator RealFromZero() {
  return CLI::Validator(
      [](std::string& text) {
        const auto value = Parse<double>(text);
        return Unless(value && std::isfinite(*value) && *value >= 0, text, "a number of 0 or more");
      },
      "");
}

}  // namespace gridsweep::sweepctl

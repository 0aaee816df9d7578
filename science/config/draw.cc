#include <cctype>
#include <charconv>
#include <cmath>

#include "science/config/number_text.h"
#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

// The published form writes 3.0 inside a distribution, not 3.
std::string WithPoint(double value) {
  std::string text = NumberText(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void SkipSpace(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool Take(std::string_view& text, std::string_view token) {
  SkipSpace(text);
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}

bool TakeNumber(std::string_view& text, double& value) {
  SkipSpace(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool AtEnd(std::string_view& text) {
  SkipSpace(text);
  return text.empty();
}

}  // namespace

std::string DrawText(const Draw& draw) {
  switch (draw.kind) {
    case Draw::Kind::kConstant:
      return NumberText(draw.a);
    case Draw::Kind::kUniform:
      return "Uniform( " + WithPoint(draw.a) + " , " + WithPoint(draw.b) + " )";
    case Draw::Kind::kPoisson:
      return "Poisson( " + WithPoint(draw.a) + " )";
  }
  return "";
}

std::optional<Draw> ParseDraw(std::string_view text) {
  double a = 0, b = 0;
  if (Take(text, "Uniform")) {
    if (Take(text, "(") && TakeNumber(text, a) && Take(text, ",") && TakeNumber(text, b) &&
        Take(text, ")") && AtEnd(text)) {
      return Draw::Uniform(a, b);
    }
    return std::nullopt;
  }
  if (Take(text, "Poisson")) {
    if (Take(text, "(") && TakeNumber(text, a) && Take(text, ")") && AtEnd(text)) {
      return Draw::Poisson(a);
    }
    return std::nullopt;
  }
  if (TakeNumber(text, a) && AtEnd(text)) return Draw::Constant(a);
  return std::nullopt;
}

}  // namespace gridsweep::science

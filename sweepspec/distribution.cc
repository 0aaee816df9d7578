#include "sweepspec/distribution.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <utility>

#include "science/config/number_text.h"

namespace gridsweep::sweepspec {
namespace {

using Kind = Distribution::Kind;
using science::NumberText;

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53

// Errors as values (NaN), never as exceptions.
using Quiet = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::rounding_error<boost::math::policies::ignore_error>>;

double StandardNormal(double u) { return -std::sqrt(2.0) * boost::math::erfc_inv(2 * u, Quiet()); }

bool Quantised(Kind kind) {
  return kind == Kind::kQUniform || kind == Kind::kQNormal || kind == Kind::kQLogNormal ||
         kind == Kind::kQBeta || kind == Kind::kQLogUniformValues;
}

bool HasRange(Kind kind) {
  return kind == Kind::kIntUniform || kind == Kind::kUniform || kind == Kind::kLogUniformValues ||
         kind == Kind::kInvLogUniformValues || kind == Kind::kQUniform ||
         kind == Kind::kQLogUniformValues;
}

double Continuous(const Distribution& d, double u) {
  switch (d.kind) {
    case Kind::kIntUniform:
      return std::min(d.max, d.min + std::floor(u * (d.max - d.min + 1)));
    case Kind::kUniform:
    case Kind::kQUniform:
      return d.min + u * (d.max - d.min);
    case Kind::kNormal:
    case Kind::kQNormal:
      return d.mu + d.sigma * StandardNormal(u);
    case Kind::kLogNormal:
    case Kind::kQLogNormal:
      return std::exp(d.mu + d.sigma * StandardNormal(u));
    case Kind::kBeta:
    case Kind::kQBeta:
      return boost::math::ibeta_inv(d.a, d.b, u, Quiet());
    case Kind::kLogUniformValues:
    case Kind::kQLogUniformValues:
      return std::clamp(std::exp(std::log(d.min) + u * (std::log(d.max) - std::log(d.min))), d.min,
                        d.max);
    case Kind::kInvLogUniformValues:
      return std::clamp(std::exp(std::log(d.max) - u * (std::log(d.max) - std::log(d.min))), d.min,
                        d.max);
  }
  return 0;
}

// The finaliser of SplitMix64: every bit of the input reaches every bit.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

std::span<const DistributionKind> DistributionKinds() {
  static const std::vector<DistributionKind> kinds = {
      {"q_beta", Kind::kQBeta, {}, {"a", "b", "q"}},
      {"beta", Kind::kBeta, {}, {"a", "b"}},
      {"int_uniform", Kind::kIntUniform, {"min", "max"}, {}},
      {"uniform", Kind::kUniform, {"min", "max"}, {}},
      {"log_normal", Kind::kLogNormal, {}, {"mu", "sigma"}},
      {"normal", Kind::kNormal, {}, {"mu", "sigma"}},
      {"q_log_normal", Kind::kQLogNormal, {}, {"mu", "sigma", "q"}},
      {"q_normal", Kind::kQNormal, {}, {"mu", "sigma", "q"}},
      {"q_uniform", Kind::kQUniform, {"min", "max"}, {"q"}},
      {"inv_log_uniform_values", Kind::kInvLogUniformValues, {"min", "max"}, {}},
      {"log_uniform_values", Kind::kLogUniformValues, {"min", "max"}, {}},
      {"q_log_uniform_values", Kind::kQLogUniformValues, {"min", "max"}, {"q"}},
  };
  return kinds;
}

DistributionFault CheckDistribution(const Distribution& d) {
  if (Quantised(d.kind) && !(d.q > 0)) return {"q", NumberText(d.q) + " is not > 0"};
  if (HasRange(d.kind)) {
    if (!(d.min < d.max)) {
      return {"min", NumberText(d.min) + " is not below max " + NumberText(d.max)};
    }
    if ((d.kind == Kind::kLogUniformValues || d.kind == Kind::kInvLogUniformValues ||
         d.kind == Kind::kQLogUniformValues) &&
        !(d.min > 0)) {
      return {"min", NumberText(d.min) + " is not > 0, where a logarithmic range starts"};
    }
    if (!std::isfinite(d.max - d.min)) return {"max", "the range from min to max is too wide"};
  }
  if (d.kind == Kind::kIntUniform) {
    for (const auto& [key, value] : {std::pair("min", d.min), std::pair("max", d.max)}) {
      if (value != std::floor(value) || std::abs(value) > kMaxExactInteger) {
        return {key, NumberText(value) +
                         " is not a whole number of at most 2^53, as int_uniform needs; for "
                         "others use uniform"};
      }
    }
  }
  if (!(d.sigma > 0)) return {"sigma", NumberText(d.sigma) + " is not > 0"};
  if (!(d.a > 0)) return {"a", NumberText(d.a) + " is not > 0"};
  if (!(d.b > 0)) return {"b", NumberText(d.b) + " is not > 0"};
  return {};
}

bool DrawsWholeNumbers(const Distribution& d) {
  return d.kind == Kind::kIntUniform || (Quantised(d.kind) && d.q == std::floor(d.q));
}

double Quantile(const Distribution& d, double u) {
  double value = Continuous(d, u);
  if (Quantised(d.kind)) value = science::Tidy(std::round(value / d.q) * d.q);
  return value == value ? value : 0;
}

std::optional<std::vector<double>> GridValues(const Distribution& d, uint64_t limit) {
  double step = 1, count = 0;
  if (d.kind == Kind::kIntUniform) {
    count = d.max - d.min + 1;
  } else if (d.kind == Kind::kQUniform) {
    step = d.q;
    // Rounding noise must not add a value at max itself: 0.1 to 0.3 by 0.1 has two.
    count = std::ceil(science::Tidy((d.max - d.min) / d.q));
  } else {
    return std::nullopt;
  }
  const uint64_t n = count > static_cast<double>(limit) ? limit + 1 : static_cast<uint64_t>(count);
  std::vector<double> values(n);
  for (uint64_t i = 0; i < n; ++i) values[i] = science::Tidy(d.min + static_cast<double>(i) * step);
  return values;
}

double UniformDraw(uint64_t seed, std::string_view name, uint64_t index) {
  uint64_t key = 0xCBF29CE484222325u;  // FNV-1a of the name
  for (unsigned char c : name) key = (key ^ c) * 0x100000001B3u;
  const uint64_t stream = Mix(Mix(seed + 0x9E3779B97F4A7C15u) ^ key);
  const uint64_t bits = Mix(stream + (index + 1) * 0x9E3779B97F4A7C15u);
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

}  // namespace gridsweep::sweepspec

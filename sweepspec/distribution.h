// W&B's distributions of one parameter: named, checked, drawn from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::sweepspec {

struct Distribution {
  enum class Kind {
    kIntUniform,
    kUniform,
    kNormal,
    kLogNormal,
    kBeta,
    kLogUniformValues,
    kInvLogUniformValues,
    kQUniform,
    kQNormal,
    kQLogNormal,
    kQBeta,
    kQLogUniformValues,
  };
  Kind kind = Kind::kUniform;
  double min = 0, max = 0;   // the uniform ones
  double mu = 0, sigma = 1;  // the normal ones; of the logarithm for log_normal
  double a = 1, b = 1;       // beta
  double q = 1;              // the quantised ones

  bool operator==(const Distribution&) const = default;
};

// One kind as W&B names it, with the keys that it takes beside `distribution`.
struct DistributionKind {
  std::string_view name;
  Distribution::Kind kind;
  std::vector<std::string_view> required, optional;
};
// In W&B's order of precedence.
std::span<const DistributionKind> DistributionKinds();

// What is wrong with the numbers, and under which key; `message` is empty when
// nothing is.
struct DistributionFault {
  std::string_view key;
  std::string message;
};
DistributionFault CheckDistribution(const Distribution& distribution);

// True when every draw is a whole number.
bool DrawsWholeNumbers(const Distribution& distribution);

// The draw that belongs to `u` in (0, 1): the inverse of the distribution
// function, then rounded to a multiple of q where there is one. Equal on every
// machine up to the last bits of the C library's functions; NaN never.
double Quantile(const Distribution& distribution, double u);

// int_uniform: min..max. q_uniform: min, min + q, ... below max, without
// rounding noise. nullopt for kinds that a grid cannot have. At most `limit` + 1
// values are made, so that a longer list can be told and refused.
std::optional<std::vector<double>> GridValues(const Distribution& distribution, uint64_t limit);

// Number `index` of the stream of uniform draws in (0, 1) that belongs to
// `name`. Counter-based: it depends on its three arguments alone.
double UniformDraw(uint64_t seed, std::string_view name, uint64_t index);

}  // namespace gridsweep::sweepspec

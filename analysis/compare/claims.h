// The poster's claims as rules that were written down before there were
// results: docs/claims.md.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// "The fraction of `share` is above (or below) `limit`."
struct Claim {
  // Which units or runs, and which of them pass.
  struct Share {
    std::string_view metric;
    v1::Comparison op;
    double threshold;
    std::string_view filter;  // of runs, in the grammar of all filters
  };
  std::string_view id;
  std::string_view statement;
  Share share;
  // Where set, the claim is about share - other, and its limit is 0.
  std::optional<Share> other;
  bool above;
  double limit;
  std::optional<double> published;
};

std::span<const Claim> Claims();
// For example "holds if the 95% interval lies above 0.5".
std::string RuleOf(const Claim& claim);

// HOLDS where the whole interval lies on the claimed side of the limit, FAILS
// where it lies on the other side, else UNDECIDED; UNDECIDED without an interval.
v1::ClaimVerdict Judge(bool above, double limit, const std::optional<v1::Interval>& interval);

// Newcombe's 95% interval of the difference of two independent fractions, from
// the interval of each (Newcombe 1998, method 10, with any score interval).
std::optional<v1::Interval> DifferenceInterval(double first,
                                               const std::optional<v1::Interval>& of_first,
                                               double second,
                                               const std::optional<v1::Interval>& of_second);

}  // namespace gridsweep::analysis

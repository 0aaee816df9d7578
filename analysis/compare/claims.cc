#include "analysis/compare/claims.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>

namespace gridsweep::analysis {
namespace {

constexpr std::string_view kError = "decoding_error_cm";
// Of a drawn 1,024 units, as published: a larger network has more chances.
constexpr std::string_view kMaximum = "max_score_60_1024";
constexpr std::string_view kScore = "grid_score_60";

constexpr Claim::Share HasGrid(std::string_view filter) {
  return {kMaximum, v1::COMPARISON_GT, 0.8, filter};
}
constexpr Claim::Share UnitsAbove(std::string_view filter) {
  return {kScore, v1::COMPARISON_GT, 0.8, filter};
}

constexpr std::string_view kSolvedDos = "readout_family = \"DoS\" AND decoding_error_cm < 10";
constexpr std::string_view kSolvedOthers =
    "readout_family != \"DoS\" AND readout_family != \"DoG\" AND decoding_error_cm < 10";
constexpr std::string_view kSolvedPlainDos = "readout = \"DoS\" AND decoding_error_cm < 10";
constexpr std::string_view kSolvedRealisticDos =
    "readout_family = \"DoS\" AND readout != \"DoS\" AND decoding_error_cm < 10";

}  // namespace

std::span<const Claim> Claims() {
  static const Claim kClaims[] = {
      {"task-is-solved",
       "Most networks integrate paths to 10 cm, whatever the readout (the true DoG left out: its "
       "decoder cannot tell).",
       {kError, v1::COMPARISON_LT, 10, "readout_family != \"DoG\""},
       std::nullopt,
       true,
       0.5,
       0.70},
      {"dos-has-grids",
       "Of DoS networks that solve the task, most have a unit with grid score above 0.8.",
       HasGrid(kSolvedDos), std::nullopt, true, 0.5, 0.91},
      {"others-lack-grids",
       "Of networks with other readouts that solve the task, few have such a unit.",
       HasGrid(kSolvedOthers), std::nullopt, false, 0.25, 0.05},
      {"dos-exceeds-others",
       "Solved DoS networks have such a unit more often than solved networks of other readouts.",
       HasGrid(kSolvedDos), HasGrid(kSolvedOthers), true, 0, 0.86},
      {"gaussian-lacks-grids", "Of Gaussian networks that solve the task, few have such a unit.",
       HasGrid("readout_family = \"Gaussian\" AND decoding_error_cm < 10"), std::nullopt, false,
       0.25, 0.08},
      {"dos-units-are-few", "Even under DoS few units have a grid score above 0.8.",
       UnitsAbove("readout_family = \"DoS\""), std::nullopt, false, 0.05, 0.02},
      {"other-units-are-fewer", "Under the other readouts hardly any unit has one.",
       UnitsAbove("readout_family != \"DoS\" AND readout_family != \"DoG\""), std::nullopt, false,
       0.01, 0.002},
      {"realistic-readouts-lose-grids",
       "With several scales or several fields a cell, DoS networks have such a unit less often.",
       HasGrid(kSolvedPlainDos), HasGrid(kSolvedRealisticDos), true, 0, std::nullopt},
  };
  return kClaims;
}

std::string RuleOf(const Claim& claim) {
  return absl::StrFormat(
      "holds if the 95%% interval%s lies %s %g, fails if it lies on the other side",
      claim.other ? " of the difference" : "", claim.above ? "above" : "below", claim.limit);
}

v1::ClaimVerdict Judge(bool above, double limit, const std::optional<v1::Interval>& interval) {
  if (!interval) return v1::CLAIM_VERDICT_UNDECIDED;
  if (interval->low() > limit) return above ? v1::CLAIM_VERDICT_HOLDS : v1::CLAIM_VERDICT_FAILS;
  if (interval->high() < limit) return above ? v1::CLAIM_VERDICT_FAILS : v1::CLAIM_VERDICT_HOLDS;
  return v1::CLAIM_VERDICT_UNDECIDED;
}

std::optional<v1::Interval> DifferenceInterval(double first,
                                               const std::optional<v1::Interval>& of_first,
                                               double second,
                                               const std::optional<v1::Interval>& of_second) {
  if (!of_first || !of_second) return std::nullopt;
  v1::Interval interval;
  interval.set_low(first - second -
                   std::hypot(first - of_first->low(), of_second->high() - second));
  interval.set_high(first - second +
                    std::hypot(of_first->high() - first, second - of_second->low()));
  interval.set_method("Newcombe, of the difference, 95%");
  interval.set_effective_n(std::min(of_first->effective_n(), of_second->effective_n()));
  return interval;
}

}  // namespace gridsweep::analysis

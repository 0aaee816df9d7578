// The questions that panels ask of a selection.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/figure.h"
#include "analysis/queries/score_bins.h"
#include "analysis/queries/unit_values.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

using Names = std::vector<std::string>;

// A share of units or runs: `metric op threshold`.
struct ShareOf {
  std::string_view metric;
  v1::Comparison op;
  double threshold;
};
// Of runs; of those that solve the task, what has possible grid cells; of units.
inline constexpr ShareOf kSolved = {"decoding_error_cm", v1::COMPARISON_LT, 10};
inline constexpr ShareOf kHasGrid = {"max_score_60_1024", v1::COMPARISON_GT, 0.8};
inline constexpr std::string_view kSolvedFilter = "decoding_error_cm < 10";

// Rows by group, those with an empty denominator left out. `filter` narrows the
// source's own. Errors: as AnswerFraction.
absl::StatusOr<std::vector<v1::FractionResponse::Row>> AskShare(FigureSource& source,
                                                                std::string_view filter,
                                                                const Names& group_by,
                                                                const ShareOf& share);

absl::StatusOr<std::vector<ScoreBins>> AskScoreBins(FigureSource& source, std::string_view filter,
                                                    const Names& group_by,
                                                    std::string_view metric = "grid_score_60");

// Units with grid_score_60 > 0.8, at most 200,000.
absl::StatusOr<std::vector<UnitValues>> AskGridUnits(FigureSource& source, std::string_view filter,
                                                     const Names& group_by,
                                                     const std::vector<std::string_view>& metrics);

// Coverage of all that `filter` leaves.
absl::StatusOr<v1::Coverage> AskCoverage(FigureSource& source, std::string_view filter);

// The number of a key, also of a width's text; NaN for any other text.
double NumberOf(const v1::GroupValue& value);
// "12 runs, 12,288 units".
std::string CountText(int64_t runs, int64_t units);
// "N: 34 of 36 runs are finished (1 diverged, 1 pending)."
std::string CoverageText(const v1::Coverage& coverage);

}  // namespace gridsweep::analysis

// How many units or runs pass a threshold, by group. Always exact.
#pragma once

#include <absl/status/statusor.h>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

// A question, checked and with its defaults filled in.
struct FractionQuestion {
  Selection selection;
  v1::Population of;
  const science::Metric* metric;
  v1::Comparison op;
  double threshold;
};

// Errors: INVALID_ARGUMENT.
absl::StatusOr<FractionQuestion> ParseFraction(const v1::FractionRequest& request);

// A unit or run without a value is in the denominator and passes no
// comparison: it is not above a threshold, and not below it either.
//   units of a binned metric     the bins of unit_rollups; the one bin that a
//                                threshold cuts from units
//   units of any other metric    units
//   runs with a unit that passes the extremes in unit_rollups
//   runs of a run metric         run_results; source "runs"
// In coverage `units` and `nulls` are of the units looked at; for a run metric
// `units` is 0 and `nulls` counts runs without a value.
// Errors: NOT_FOUND for a sweep that does not exist; DATA_LOSS when a finished
// run has no rollup.
absl::StatusOr<v1::FractionResponse> AnswerFraction(Snapshot& snapshot,
                                                    const FractionQuestion& question);

}  // namespace gridsweep::analysis

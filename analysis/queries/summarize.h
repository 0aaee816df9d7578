// Count, mean, extremes and quantiles of a metric, by group.
#pragma once

#include <absl/status/statusor.h>

#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

struct SummarizeQuestion {
  Selection selection;
  const science::Metric* metric;
  std::vector<double> quantiles;  // in [0, 1]
};

// Errors: INVALID_ARGUMENT.
absl::StatusOr<SummarizeQuestion> ParseSummarize(const v1::SummarizeRequest& request);

// For a unit metric: count, mean and extremes from unit_rollups, quantiles
// from units. For a run metric all from run_results; source "runs".
absl::StatusOr<v1::SummarizeResponse> AnswerSummarize(Snapshot& snapshot,
                                                      const SummarizeQuestion& question);

}  // namespace gridsweep::analysis

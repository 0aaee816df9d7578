// Which metric an answer is about, and what it rests on.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "analysis/queries/database.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

// The metric of that name, grid_score_60 for "". INVALID_ARGUMENT with a
// did-you-mean for the field `path` otherwise.
absl::StatusOr<const science::Metric*> ResolveMetric(const std::string& name,
                                                     const std::string& path);

// An exact answer's basis; its time is the snapshot's.
v1::Basis MakeBasis(Snapshot& snapshot, const science::Metric& metric, const std::string& source);

}  // namespace gridsweep::analysis

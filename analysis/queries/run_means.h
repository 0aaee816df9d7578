// Means of a metric of runs, by group.
#pragma once

#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

struct CoveredMean {
  v1::Group group;  // coverage complete but for `units`
  v1::MeanOverRuns mean;
};

// One row a group that has a run, as ReadCoverage orders them; `metric` is one of runs.
std::vector<CoveredMean> ReadRunMeans(Snapshot& snapshot, const Selection& selection,
                                      const science::Metric& metric);

}  // namespace gridsweep::analysis

// Our results beside the published ones, and what they say of each claim.
#pragma once

#include <absl/status/statusor.h>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct CompareQuestion {
  v1::Selection where;  // checked; without groups
};

// Errors: INVALID_ARGUMENT, also where `where` has groups.
absl::StatusOr<CompareQuestion> ParseCompare(const v1::ComparePublishedRequest& request);

// One row a readout family that is selected or was published, in the published
// order, others after them; every claim of Claims() with its verdict. A claim
// narrows the selection's filter by its own. All in one snapshot.
// Errors: as AnswerFraction.
absl::StatusOr<v1::ComparePublishedResponse> AnswerCompare(Snapshot& snapshot,
                                                           const CompareQuestion& question);

}  // namespace gridsweep::analysis

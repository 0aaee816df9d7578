// Our participation ratios beside published neural predictivity.
#pragma once

#include <absl/status/statusor.h>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct PredictivityQuestion {
  Selection trained, untrained;  // by network and activation
};

// Errors: INVALID_ARGUMENT, also where `where` has groups.
absl::StatusOr<PredictivityQuestion> ParsePredictivity(
    const v1::NeuralPredictivityRequest& request);

// One row a network and activation that is published or selected: runs with n_epochs > 0 beside
// the trained networks, with n_epochs = 0 beside the untrained ones. All in one snapshot.
// Errors: NOT_FOUND naming sweeps that do not exist.
absl::StatusOr<v1::NeuralPredictivityResponse> AnswerPredictivity(
    Snapshot& snapshot, const PredictivityQuestion& question);

}  // namespace gridsweep::analysis

// For how many steps runs were trained.
#pragma once

#include <absl/status/statusor.h>

#include <optional>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"

namespace gridsweep::analysis {

struct TrainingLength {
  int64_t shortest = 0, longest = 0;  // n_epochs times n_grad_steps_per_epoch
};

// Of the finished runs of `selection`, untrained ones (n_epochs 0) left out; absent where there are
// none.
absl::StatusOr<std::optional<TrainingLength>> ReadTrainingLength(Snapshot& snapshot,
                                                                 const Selection& selection);

}  // namespace gridsweep::analysis

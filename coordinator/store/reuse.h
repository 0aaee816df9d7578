// Results that serve other sweeps: a run whose configuration is finished already takes that
// result, instead of being trained.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Sets aside those runs of the sweep, in its creation's transaction, whose configuration (by its
// hash) another run has finished with the formulas of `science_version`. No worker can claim them.
// Of several such runs the one that was trained first. How many.
int64_t SetReusableRunsAside(Transaction& t, int64_t sweep_id, int science_version);

struct Reused {
  int64_t looked_at = 0;
  int64_t runs = 0;    // of them: have got their result
  int64_t queued = 0;  // of them: their source has gone meanwhile, a worker may claim them
};
// Gives at most `limit` runs that were set aside their results, units and learning curves, in one
// transaction. Coordinators share the work.
absl::StatusOr<Reused> ReuseResults(Database& database, int limit);

}  // namespace gridsweep::coordinator

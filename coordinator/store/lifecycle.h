// What users do to a sweep that is there: pause, resume, stop, cancel, retry,
// delete. Each is one transaction under a lock on the sweep's row, which the
// end of a lease takes too: a run that comes back at the same time either is
// still seen here or finds what was decided. NOT_FOUND for an unknown sweep,
// PERMISSION_DENIED, reason NOT_SUBMITTER, for one that the caller may not change.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "coordinator/store/database.h"
#include "coordinator/store/sweeps.h"

namespace gridsweep::coordinator {

// The token name whose sweeps alone the caller may change, those that it submitted; nothing: all
// sweeps. Sweeps that were submitted without a token belong to no name.
using OwnSweeps = std::optional<std::string>;

// Runs of the sweep: those that waited, and those that are leased and what
// becomes of them is their worker's to bring.
struct Affected {
  int64_t waiting;
  int64_t leased;
};

// Waiting runs become PAUSED, as do leased ones that come back unfinished.
absl::StatusOr<Affected> PauseSweep(Database& database, int64_t sweep_id,
                                    const OwnSweeps& own = {});
// PAUSED runs wait again, in their old order behind all others; one whose
// pause after a failure is not over goes back into it. How many.
absl::StatusOr<int64_t> ResumeSweep(Database& database, int64_t sweep_id,
                                    const OwnSweeps& own = {});
// Waiting runs become CANCELLED, as do leased ones that come back unfinished.
absl::StatusOr<Affected> StopSweep(Database& database, int64_t sweep_id, const OwnSweeps& own = {});
// As StopSweep, and workers hear that they are to give up the leased ones.
absl::StatusOr<Affected> CancelSweep(Database& database, int64_t sweep_id,
                                     const OwnSweeps& own = {});

// Runs in one of `states` (all of them ended), of `run_ids` where there are
// any, wait again: no failures, no checkpoint, the back of the queue. A result
// that they had is taken away, units and curve with it; its attempt keeps what it was. The
// sweep is no longer stopped or cancelled; where it is paused they are PAUSED.
// How many.
absl::StatusOr<int64_t> RetrySweep(Database& database, int64_t sweep_id,
                                   const std::vector<State>& states,
                                   const std::vector<int64_t>& run_ids, const OwnSweeps& own = {});

// From now on there is no such sweep; DeleteSomeRuns takes its rows away.
// FAILED_PRECONDITION, reason SWEEP_HAS_LEASES, while runs are leased. How
// many runs it had.
absl::StatusOr<int64_t> DeleteSweep(Database& database, int64_t sweep_id,
                                    const OwnSweeps& own = {});

// Deletes up to `limit` runs of one deleted sweep with all that is theirs, or,
// when none is left, the sweep. False when there is nothing to delete, or
// another coordinator is at it.
absl::StatusOr<bool> DeleteSomeRuns(Database& database, int limit);

}  // namespace gridsweep::coordinator

// Checkpoints of runs in training: recorded under the lease, found by the next one, dropped when
// the run has ended.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// Names the stored file as the run's checkpoint, unless a later step has one. Errors: LEASE_LOST.
absl::Status RecordCheckpoint(Database& database, const LeaseKey& key,
                              const v1::CheckpointRef& checkpoint);

// Whether the run's checkpoint is the file of that hash. Errors: LEASE_LOST.
absl::StatusOr<bool> HasCheckpoint(Database& database, const LeaseKey& key,
                                   const std::string& sha256);

// Drops checkpoints of runs that have ended, and the rows of checkpoint files that no run has
// named for `grace`; the files become garbage (artifact_garbage.h). How many.
absl::StatusOr<int64_t> DropCheckpoints(Database& database, absl::Duration grace);

}  // namespace gridsweep::coordinator

// Checkpoints of runs in training: recorded under the lease, found by the next one, dropped when
// the run has ended.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// Names the stored file as the run's checkpoint, unless a later step has one; the file that it had
// before becomes garbage. Errors: LEASE_LOST.
absl::Status RecordCheckpoint(Database& database, const LeaseKey& key,
                              const v1::CheckpointRef& checkpoint);

// Whether the run's checkpoint is the file of that hash. Errors: LEASE_LOST.
absl::StatusOr<bool> HasCheckpoint(Database& database, const LeaseKey& key,
                                   const std::string& sha256);

// Drops up to `limit` checkpoints of runs that have ended; their files become garbage
// (artifact_garbage.h). How many.
absl::StatusOr<int> DropCheckpoints(Database& database, int limit);

}  // namespace gridsweep::coordinator

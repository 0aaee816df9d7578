// What deleted sweeps and taken back results leave behind.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "common/artifact_store.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Deletes rows of deleted sweeps and files that no run names, for about
// `at_most`; what is left, the next call goes on with. Any number of
// coordinators may be at it.
absl::Status CollectGarbage(Database& database, ArtifactStore& artifacts, absl::Duration at_most);

}  // namespace gridsweep::coordinator

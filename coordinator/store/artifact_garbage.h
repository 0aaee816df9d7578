// Artifacts that runs have let go of: from the row that names a file to the
// end of the file, in two transactions.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Deletes the rows of up to `limit` artifacts that runs have let go of, that no result and no
// checkpoint names and that no lease is uploading. How many it looked at.
absl::StatusOr<int> ForgetArtifacts(Database& database, int limit);

// Calls `unlink` for up to `limit` files whose row was deleted; one that
// fails is tried again after all others. A file that is uploaded at the same time either
// is named before, and stays, or its uploader finds it missing (RecordArtifact). How many went.
absl::StatusOr<int> UnlinkForgotten(
    Database& database, int limit,
    const std::function<absl::Status(const std::string& sha256)>& unlink);

}  // namespace gridsweep::coordinator

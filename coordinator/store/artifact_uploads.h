// Files that leases upload: known to the database before they are in the artifact directory, so
// that those which nothing comes to name are found.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Says, before the file can be there, that the lease uploads it: from here on it is no garbage.
// True when the store has the file already. A lease has at most one file of a kind ("result",
// "checkpoint") that nothing names: the one before becomes garbage. LEASE_LOST when the lease is
// not held.
absl::StatusOr<bool> AnnounceArtifact(Database& database, const LeaseKey& key,
                                      const std::string& sha256, const std::string& kind);

// The files become garbage: they go unless something names them.
absl::Status AbandonArtifacts(Database& database, const std::vector<std::string>& sha256s);

// Makes garbage of up to `limit` files whose leases have ended and which were announced longer
// than `grace` ago. How many.
absl::StatusOr<int> AbandonUploads(Database& database, absl::Duration grace, int limit);

}  // namespace gridsweep::coordinator

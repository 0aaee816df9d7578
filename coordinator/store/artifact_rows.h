// What the database knows of the artifact directory, to be compared with what lies there.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

struct ArtifactRow {
  uint64_t size = 0;          // bytes
  int64_t run_id = 0;         // the first whose result names it; 0: none
  int64_t checkpoint_of = 0;  // the first run whose checkpoint it is; 0: none
  bool pending = false;       // a lease uploads it, or the collector will look at it
};
struct ArtifactRows {
  std::map<std::string, ArtifactRow> rows;  // by hash
  std::set<std::string> pending;            // hashes that need no row for their file to be there
};
// Of the files whose hashes begin with the byte `first`.
absl::StatusOr<ArtifactRows> ReadArtifactRows(Database& database, uint8_t first);

// Drops the checkpoints that this file is: their runs start over.
absl::Status DropCheckpointsOf(Database& database, const std::string& sha256);

}  // namespace gridsweep::coordinator

// What runs log: the last lines of each attempt, those in progress included.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Lines that an attempt in progress has added.
struct NewLines {
  int64_t run_id;
  int attempt;
  std::vector<std::string> lines;  // at least one
};
// Keeps them for whoever follows the run, through whichever coordinator; the last 50 lines of each
// attempt. Those of attempts that have ended are passed over.
absl::Status KeepLines(Database& database, std::span<const NewLines> added);
// Drops what was kept of up to `limit` attempts that have ended: these have their own. How many.
absl::StatusOr<int> DropKeptLines(Database& database, int limit);

struct AttemptLines {
  int attempt;
  std::string worker;
  std::vector<std::string> lines;
};
struct RunLog {
  bool ended = false;                  // the run, for good
  bool all = true;                     // there are no attempts after these
  std::vector<AttemptLines> attempts;  // in order; the one in progress is the last
};
// Attempts from number `from` on, at most `limit`. NOT_FOUND where there is no such run.
absl::StatusOr<RunLog> ReadRunLog(Database& database, int64_t run_id, int from, int limit);

}  // namespace gridsweep::coordinator

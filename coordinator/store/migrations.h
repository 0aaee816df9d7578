// The schema's history: numbered SQL files, embedded at build time.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

struct Migration {
  int version;
  std::string_view name;  // the file's
  std::string_view sql;
};

// In ascending order. Generated from coordinator/migrations/*.sql.
std::span<const Migration> EmbeddedMigrations();

// Brings the schema up to date, in one transaction under an advisory lock, so
// that any number of coordinators may start at once. Errors:
// FAILED_PRECONDITION when an applied migration's text has changed since, or
// the database is newer than this program.
absl::Status Migrate(Database& database, std::span<const Migration> migrations);

}  // namespace gridsweep::coordinator

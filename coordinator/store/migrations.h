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

// Brings the schema up to date, in one transaction under a lock on the table
// schema_migrations, so that any number of coordinators may start at once.
// Advisory locks would be open to every login of the database. (Coordinators
// of 0.1.0 take one, and not this: the first of them to record a migration
// waits here, or fails on its key and is right when started again.) Errors:
// FAILED_PRECONDITION when an applied migration's text has changed since, or
// the database is newer than this program.
absl::Status Migrate(Database& database, std::span<const Migration> migrations);

}  // namespace gridsweep::coordinator

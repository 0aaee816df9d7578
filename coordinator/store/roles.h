// Roles of the database with least privilege: coordinator/roles.sql.
#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// The file's text, embedded at build time.
std::string_view RolesSql();

// Makes the roles that are missing and grants them what is missing, as far as
// the connection's own role may; what it may not is left to an administrator.
// Any number of coordinators may do so at once. Precondition: Migrate.
absl::Status GrantRoles(Database& database);

}  // namespace gridsweep::coordinator

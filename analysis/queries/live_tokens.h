// The bearer tokens that analysis accepts: those that the coordinators made.
#pragma once

#include "analysis/queries/database.h"
#include "common/live_token.h"

namespace gridsweep::analysis {

// Neither revoked nor expired by the database's clock. Errors as Database::Read's.
absl::StatusOr<std::vector<LiveToken>> ReadLiveTokens(Database& database);

}  // namespace gridsweep::analysis

// What callers hear of a database that cannot be reached, and what the log does.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace gridsweep {

// UNAVAILABLE, without `why`: libpq's words name hosts, users and parts of connection strings,
// which are the operator's. They are logged, the same words once a minute. Thread-safe.
absl::Status DatabaseAway(const std::string& why);

}  // namespace gridsweep

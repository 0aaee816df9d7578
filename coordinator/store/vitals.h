// Numbers about the whole that monitoring asks for, read so that they stay cheap.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <array>
#include <map>
#include <string>

#include "coordinator/store/database.h"
#include "coordinator/store/sweeps.h"

namespace gridsweep::coordinator {

struct Vitals {
  // Workers seen in the last three lease times: run, cordoned, drained, quarantined; and lost:
  // those seen in the last hour, but not in that time.
  std::map<std::string, int64_t> workers;
  int64_t leased = 0;                // runs
  double heartbeat_age_seconds = 0;  // of the most silent worker that holds leases; 0 without any
  double notification_queue_usage = 0;  // 0 to 1
  double oldest_transaction = 0;        // Unix time, of those that this role may see; 0 without any
};

// Whether the database answers.
absl::Status Ping(Database& database);

// One statement over the leases and the workers, which are few however many runs there are.
absl::StatusOr<Vitals> ReadVitals(Database& database, absl::Duration lease_ttl);

inline constexpr int kStates = 8;
using RunCounts = std::array<int64_t, kStates>;  // by the number of the state
// Reads every row of run_state: not to be asked often.
absl::StatusOr<RunCounts> CountRuns(Database& database);

}  // namespace gridsweep::coordinator

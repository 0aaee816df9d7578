// The fleet, and what its operator says to a worker. What is said stays with
// the worker's name, whatever process comes under it and whatever coordinator
// is asked.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "coordinator/store/database.h"
#include "gridsweep/v1/admin.pb.h"

namespace gridsweep::coordinator {

// `live` = seen within `ttl`. Without `all`, those not seen for three are left
// out, unless they are quarantined: that waits for somebody to see it. By name, those after
// `after`, at most `limit`.
absl::StatusOr<std::vector<v1::Worker>> ListWorkers(Database& database, bool all,
                                                    absl::Duration ttl,
                                                    const std::string& after = "",
                                                    int limit = 1000);

// Takes no more runs. One in quarantine stays there.
absl::StatusOr<v1::Worker> CordonWorker(Database& database, const std::string& name,
                                        absl::Duration ttl);
// As CordonWorker, and gives back what it holds.
absl::StatusOr<v1::Worker> DrainWorker(Database& database, const std::string& name,
                                       absl::Duration ttl);
// May take runs; what it failed before is forgotten, and counts against no run
// (JudgeWorker). All three: NOT_FOUND for an unknown worker.
absl::StatusOr<v1::Worker> UncordonWorker(Database& database, const std::string& name,
                                          absl::Duration ttl);

}  // namespace gridsweep::coordinator

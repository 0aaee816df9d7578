// Reading runs, one by one or by the page.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "coordinator/store/database.h"
#include "coordinator/store/sweeps.h"
#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::coordinator {

// Runs of a sweep with ids above `after`, in the order of their ids. `states`
// empty = all. NOT_FOUND for an unknown sweep.
absl::StatusOr<std::vector<v1::Run>> ListRuns(Database& database, int64_t sweep_id,
                                              const std::vector<State>& states, int64_t after,
                                              int limit);

// With attempts above number `after`, as many as an answer holds, and stored learning curve.
// NOT_FOUND when there is none.
absl::StatusOr<v1::GetRunResponse> GetRun(Database& database, int64_t run_id, int64_t after = 0);

// The identity of this database, as the artifact directory's marker carries it.
absl::StatusOr<std::string> InstanceId(Database& database);
// Whether a result file or checkpoint has ever been stored and is still named.
absl::StatusOr<bool> HasArtifacts(Database& database);

}  // namespace gridsweep::coordinator

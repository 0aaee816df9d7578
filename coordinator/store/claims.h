// Granting leases: which runs go to which waiting workers.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "coordinator/store/database.h"
#include "coordinator/store/sweeps.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// The fence: one grant of one run.
struct LeaseKey {
  int64_t run_id = 0;
  std::string token;  // 16 raw bytes
};

// A run whose lease has ended.
struct EndedLease {
  int64_t run_id;
  State state;  // of the run, now
  int attempt = 0;
  std::string worker = {};    // its name
  std::string outcome = {};   // of the attempt
  double wasted_seconds = 0;  // of work, since the grant or the attempt's last checkpoint
};

struct Grant {
  LeaseKey key;
  int attempt;
  int64_t sweep_id;
  std::string config_json;  // canonical
  std::string config_hash, shape_key;
  std::optional<v1::CheckpointRef> checkpoint;
  std::optional<absl::Duration> checkpoint_interval;  // where the sweep has one
};

// One waiting LeaseRuns call.
struct Demand {
  int64_t worker_id;
  std::string incarnation;
  std::string request_id;
  int max_runs;
};

// What a demand got: nothing where there was nothing to give.
struct Claimed {
  bool registered = false;  // its incarnation is its worker's current one
  v1::WorkerDirective directive = v1::WORKER_DIRECTIVE_RUN;
  std::vector<Grant> grants;
};

// One claim for all of `demands`, in one transaction; answers in their order. Sweeps are chosen by
// priority, then by fewest leased runs, then by age; runs of a sweep by their
// place in the queue; demands take turns. A sweep's max_parallel is never
// exceeded. A demand whose request id holds leases already gets those again.
// Demands of an incarnation that is not its worker's current one, and of
// workers whose directive is not RUN, get nothing new.
// Never waits for rows that another claim holds.
absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl);

}  // namespace gridsweep::coordinator

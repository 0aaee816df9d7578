// Granting leases: which runs go to which waiting workers.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/fair_share.h"
#include "coordinator/queue_floor.h"
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
  int64_t sweep_id = 0;
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
  uint64_t free_memory = 0;  // bytes; 0: not said, no run is too large
  std::string prefer_shape_key = "";
  // A claim has found it registered and without grants a moment ago: it is looked up only where
  // it is to get runs.
  bool known = false;
  int resource_class = kAnyClass;  // of its worker, where it is known
};

// What a demand got: nothing where there was nothing to give.
struct Claimed {
  bool registered = false;  // its incarnation is its worker's current one
  v1::WorkerDirective directive = v1::WORKER_DIRECTIVE_RUN;
  int resource_class = kAnyClass;  // of its worker
  std::vector<Grant> grants;
};

// What claims remember from one to the next. All of it are hints: a claim without any gives the
// same guarantees, and looks at everything.
struct ClaimMemory {
  QueueFloor floor;
  FairShare share;
  int64_t newest_sweep = 0;  // all up to here have been looked at
  absl::Time counted = absl::InfinitePast();
  absl::Duration count_took;
};
// Where there may be claimable runs that were not there.
struct NewWork {
  bool anywhere = false;
  std::set<int64_t> sweeps = {};  // in these, where not anywhere

  bool any() const { return anywhere || !sweeps.empty(); }
  void Add(const NewWork& other);
};
// In the sweeps of runs whose leases have ended.
NewWork WorkOf(const std::vector<EndedLease>& ended);
using WorkAppeared = std::function<void(const NewWork&)>;

// Why a claim is made.
struct ClaimReason {
  NewWork work = {.anywhere = true};
  bool room_appeared = true;  // leases have ended, of sweeps with a limit perhaps
};

// One claim for all of `demands`, in one transaction; answers in their order. Sweeps are chosen as
// fair_share.h says, among those whose resource class and memory fit the worker; runs of a sweep by
// their place in the queue, except that among its first 64 places those come first that are like
// what the worker trained last (prefer_shape_key), or like the first; demands take turns. A sweep's
// max_parallel is never exceeded. A demand whose request id holds leases already gets those again.
// Demands of an incarnation that is not its worker's current one, and of workers whose directive is
// not RUN, get nothing new. Never waits for runs that another claim holds.
// A claim that fails leaves `memory` empty.
absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl, ClaimMemory& memory,
                                               const ClaimReason& reason = {});
// The same without a memory.
absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl);

}  // namespace gridsweep::coordinator

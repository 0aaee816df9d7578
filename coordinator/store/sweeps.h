// Sweeps: stored with all their runs in one transaction, and read.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <vector>

#include "coordinator/store/database.h"
#include "coordinator/store/quota.h"
#include "gridsweep/v1/sweep.pb.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::coordinator {

// Run states as the database numbers them.
enum class State {
  kPending,
  kBackoff,
  kPaused,
  kLeased,
  kSucceeded,
  kDiverged,
  kFailed,
  kCancelled
};
inline v1::RunState ToProto(State state) {
  return static_cast<v1::RunState>(static_cast<int>(state) + 1);
}

struct NewSweep {
  std::string name;
  std::string request_id;    // "" = none
  std::string request_hash;  // of what was asked; a repeat must ask the same
  std::string source_yaml;
  const sweepspec::ExpandedSweep* sweep;  // at least one run
  std::string submitted_by = {};          // the caller's token's name
  Quota quota = {};                       // of that name
};
struct CreatedSweep {
  v1::Sweep sweep;
  bool already_existed;
  int64_t reusable = 0;  // runs set aside to take another's result
};

// Stores the sweep and its runs, or nothing. Run ids are contiguous; the units
// partitions they need exist afterwards. ALREADY_EXISTS when the request id
// belongs to a sweep with another request hash, RESOURCE_EXHAUSTED as CheckQuota says.
absl::StatusOr<CreatedSweep> CreateSweep(Database& database, const NewSweep& request);

// With the submitted text. NOT_FOUND when there is none.
absl::StatusOr<v1::Sweep> GetSweep(Database& database, int64_t sweep_id);
// The newest of that name.
absl::StatusOr<v1::Sweep> GetSweepByName(Database& database, const std::string& name);
// Newest first, those with ids below `before` (0 = all), at most `limit`.
absl::StatusOr<std::vector<v1::Sweep>> ListSweeps(Database& database, int64_t before, int limit);

// What watchers of a sweep are told.
struct SweepSnapshot {
  v1::RunCounts counts;
  // Leased: run, readout, seed, total_steps, worker; the first 8,000.
  std::vector<v1::RunProgress> running;
  int64_t now_micros = 0;  // the database's clock
};
// NOT_FOUND for an unknown sweep.
absl::StatusOr<SweepSnapshot> ReadSnapshot(Database& database, int64_t sweep_id);

// A place in the order in which runs end.
struct EndPlace {
  int64_t micros = 0;  // the database's clock
  int64_t run_id = 0;
};
// The runs of the sweep that ended after `place`, in that order, at most `limit`, with their step
// and loss. Moves `place` to the last of them.
absl::StatusOr<std::vector<v1::RunProgress>> ReadEnded(Database& database, int64_t sweep_id,
                                                       EndPlace& place, int limit);

}  // namespace gridsweep::coordinator

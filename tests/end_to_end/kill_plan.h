// Where a worker is to be killed, all of it drawn from a seed.
#pragma once

#include <cstdint>
#include <string>

namespace gridsweep::testing {

enum class KillPoint {
  kBeforeGrant,  // the coordinator has granted runs; the worker never hears of it
  kTraining,     // at a step
  kUploading,    // the artifact is on its way, or stored and its worker never hears of it
  kAfterCommit,  // the result is stored; the worker never hears of it
};

struct KillPlan {
  uint64_t seed;
  KillPoint point;
  int after;       // runs that the worker finishes first: 0 or 1
  int slots;       // of the worker: 1 or 2
  uint64_t step;   // kTraining: at this step or the next that a heartbeat tells
  int chunks;      // kUploading: after so many chunks; kUploadChunks = when all are stored
  bool same_name;  // the one that joins afterwards has the dead one's name
};

// Of every artifact of the tests' sweep: its files have between 1 and 2 MiB.
inline constexpr int kUploadChunks = 2;

// `steps`: of each run.
KillPlan DrawKillPlan(uint64_t seed, uint64_t steps);

// One line for people.
std::string Describe(const KillPlan& plan);

}  // namespace gridsweep::testing

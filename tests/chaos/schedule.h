// What is done to a running Gridsweep, all of it drawn from a seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gridsweep::testing {

enum class FaultKind {
  kKillWorker,       // SIGKILL; its successor has its name
  kTerminateWorker,  // SIGTERM; its successor has its name
  kFreezeWorker,     // SIGSTOP, later SIGCONT
  kCutWorker,        // its connections break, and none can be made
  kStallWorker,      // its connections carry nothing, and do not break
  kSlowWorker,       // they carry `amount` bytes a second
  kMisleadWorker,    // they lead to another server, as a wrong port does
  kRevokeToken,      // the worker's token; it gets another one at the end
  kDemoteToken,      // the worker has a token that may only look; likewise
  kSetWorkerClock,   // its wall clock jumps by `amount` seconds
  kKillCoordinator,  // as of workers
  kTerminateCoordinator,
  kFreezeCoordinator,
  kRestartDatabase,    // PostgreSQL stops and starts: fast, ...
  kAbortDatabase,      // immediately, ...
  kCrashDatabase,      // by SIGKILL to all of it
  kTerminateBackends,  // `amount` sessions of coordinators and analysis end
  kExhaustDatabase,    // all connections that are left are taken
  kUnmountArtifacts,   // the artifact directory is not mounted; what is under it ...
                       // ... belongs to the coordinators (even `amount`) or not (odd)
  kLockArtifacts,      // ... is read-only
  kFillArtifacts,      // ... has no room
  kCloseArtifacts,     // ... may not be entered
};

struct Fault {
  FaultKind kind;
  int target;                       // which worker or coordinator; 0 for the database
  std::chrono::milliseconds gap;    // after the fault before it, at least
  std::chrono::milliseconds lasts;  // until it is mended
  int amount = 0;
};

// What there is to break.
struct Targets {
  int workers, coordinators;
  std::chrono::milliseconds lease_ttl;  // faults last for less and for more than it
  bool artifacts;                       // whether the artifact directory can be broken
};
std::vector<Fault> DrawSchedule(uint64_t seed, int faults, const Targets& targets);

// "SIGKILL".
std::string NameOf(FaultKind kind);
// What can have one fault at a time: "worker-2", "link-2", "coordinator-0", "database", ...
std::string PartOf(const Fault& fault);
// One line for people.
std::string Describe(const Fault& fault);

}  // namespace gridsweep::testing

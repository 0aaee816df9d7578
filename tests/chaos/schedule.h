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
  kSetWorkerClock,   // its wall clock jumps by `amount` seconds
  kKillCoordinator,  // as of workers
  kTerminateCoordinator,
  kFreezeCoordinator,
  kRestartDatabase,    // PostgreSQL stops and starts: fast, ...
  kAbortDatabase,      // immediately, ...
  kCrashDatabase,      // by SIGKILL to all of it
  kTerminateBackends,  // `amount` sessions of coordinators and analysis end
  kExhaustDatabase,    // all connections that are left are taken
};

struct Fault {
  FaultKind kind;
  int target;                       // which worker or coordinator; 0 for the database
  std::chrono::milliseconds gap;    // after the fault before it, at least
  std::chrono::milliseconds lasts;  // until it is mended
  int amount = 0;
};

// `faults` of them for so many workers and coordinators. Durations are on both
// sides of `lease_ttl`.
std::vector<Fault> DrawSchedule(uint64_t seed, int faults, int workers, int coordinators,
                                std::chrono::milliseconds lease_ttl);

// "SIGKILL".
std::string NameOf(FaultKind kind);
// What can have one fault at a time: "worker-2", "link-2", "coordinator-0", "database", ...
std::string PartOf(const Fault& fault);
// One line for people.
std::string Describe(const Fault& fault);

}  // namespace gridsweep::testing

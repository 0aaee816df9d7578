// Simulated workers, coordinators and users around one store in memory, on simulated time, with
// faults; what each does when is drawn from a seed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/model/audit.h"

namespace gridsweep::coordinator {

struct WorldOptions {
  uint64_t seed = 1;
  int64_t operations = 10'000;  // transactions until the faults stop
  Mutation mutation = Mutation::kNone;
};

struct WorldReport {
  std::array<int64_t, kOperations> operations = {};  // transactions by kind
  int64_t total = 0;
  int64_t changes = 0;              // of those: changed a run
  int64_t held = 0;                 // visible only after others had begun and ended
  int64_t rolled_back = 0;          // ended with their coordinator or the database
  int64_t outages = 0, deaths = 0;  // of the database; of workers and coordinators
  std::vector<std::string> faults;  // what did not hold; the first step that has any ends the run
  std::string last;                 // the last operations, one a line, where there are faults
};

// The same options give the same report.
WorldReport RunWorld(const WorldOptions& options);

}  // namespace gridsweep::coordinator

// Checks of a sweep's runs as a set.
#pragma once

#include <string>
#include <vector>

#include "analysis/queries/verify_queries.h"
#include "analysis/verify/findings.h"

namespace gridsweep::analysis {

// What is remembered of each run.
struct RunIdentity {
  int64_t run_id, ordinal;
  std::string config_hash;
};

// Checks (the names that findings carry):
//   run_count         as many runs as the sweep says
//   ordinals          points 0..n-1, each once
//   run_ids           run_id = first_run_id + ordinal
//   distinct_configs  no two points of a grid have the same configuration
void CheckSweep(const SweepFacts& sweep, std::vector<RunIdentity> runs, Findings& findings);

}  // namespace gridsweep::analysis

// Checks of one run's result file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/queries/verify_queries.h"
#include "analysis/result_file.h"
#include "analysis/verify/findings.h"

namespace gridsweep::analysis {

// Checks (the names that findings carry):
//   artifact       a succeeded run has a file ab/cd/<sha256>.h5 of the size and hash that its row
//                  names
//   file_config    its configuration and hash are the run's
//   file_scores    its scores are the units', bit for bit; a score that it has not, no unit has
//   file_metrics   its metrics are the run's, bit for bit
//   chance         the run's chance levels are those of the shuffles and of the untrained network
//                  that the file has; without them there are none
//   file_curve     its learning curve's steps rise strictly, none beyond the last step
// `metrics`: the unit metrics that the schema has.
void CheckFile(const RunFacts& run, const std::filesystem::path& artifacts,
               const ResultFiles& files, const std::vector<std::string>& metrics,
               Findings& findings);

}  // namespace gridsweep::analysis

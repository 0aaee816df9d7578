// The stream of VerifySweep. It shares no code with what writes results: paths,
// hashes, canonical forms and counts are made again from their definitions.
#pragma once

#include <filesystem>
#include <memory>

#include "analysis/lane_reactors.h"
#include "analysis/queries/database.h"
#include "analysis/result_file.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Faults as they are found (at most 20 a check, the rest as a number), then a
// line a check with what it counted. Each batch of runs is read in one
// snapshot. Errors: NOT_FOUND when there is no such sweep.
std::unique_ptr<StreamJob<v1::VerifySweepResponse>> MakeVerifyJob(Database& database,
                                                                  std::filesystem::path artifacts,
                                                                  const ResultFiles& files,
                                                                  int64_t sweep_id);

}  // namespace gridsweep::analysis

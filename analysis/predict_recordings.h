// How well runs predict recorded neurons: the question of PredictRecordings and its answer.
#pragma once

#include <memory>

#include "analysis/lane_reactors.h"
#include "analysis/queries/database.h"
#include "analysis/result_file.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Gathers the question and the maps. Errors: INVALID_ARGUMENT: the question is missing, twice, not
// first or makes no sense; maps in pieces, infinite, none or too many; no map with a visited bin.
// NOT_FOUND, in the answer: no finished run is selected. A run without maps of that size is
// skipped, with the reason.
std::unique_ptr<StreamQuestion<v1::PredictRecordingsRequest, v1::PredictRecordingsResponse>>
MakeRecordingsQuestion(Database& database, const ResultFiles& files);

}  // namespace gridsweep::analysis

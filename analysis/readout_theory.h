// The stream of ReadoutTheory: predictions, readout by readout.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/lane_reactors.h"
#include "analysis/queries/database.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/run_config.h"
#include "science/theory/pattern_formation.h"
#include "science/theory/readout_theory.h"

namespace gridsweep::analysis {

struct TheoryQuestion {
  std::vector<science::RunConfig> configs;  // or, where there are none,
  int64_t sweep_id;                         // the readouts of this sweep
  theory::TheoryOptions options;
  std::vector<theory::PatternOptions> patterns;
  bool with_maps, with_pictures;
};

// Errors: INVALID_ARGUMENT: neither or both of configs and sweep_id, a
// configuration that cannot be, a number out of its range.
absl::StatusOr<TheoryQuestion> ParseReadoutTheory(const v1::ReadoutTheoryRequest& request);

// Theories in the order asked for, each with its patterns after it; sheets
// when their readouts are complete. One piece is one readout, or some steps of
// a pattern: a fraction of a second.
std::unique_ptr<StreamJob<v1::ReadoutTheoryResponse>> MakeTheoryJob(Database& database,
                                                                    TheoryQuestion question);

}  // namespace gridsweep::analysis

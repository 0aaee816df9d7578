// The stream of GetRatemaps: units found in the database, arrays read from result files.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "analysis/lane_reactors.h"
#include "analysis/queries/database.h"
#include "analysis/queries/list_units.h"
#include "analysis/result_file.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct RatemapsQuestion {
  std::vector<v1::UnitRef> units;          // or, where there are none,
  std::optional<ListUnitsQuestion> query;  // one page of this
  bool as_sheet;
  int nbins;
  bool with_autocorrelogram;
};

// Errors: INVALID_ARGUMENT: neither or both of units and query, more than 4096
// units (1024 for a sheet), nbins other than 44, 32 and 20.
absl::StatusOr<RatemapsQuestion> ParseGetRatemaps(const v1::GetRatemapsRequest& request);

// Ratemaps in the order asked for, or the chunks of one PNG.
std::unique_ptr<StreamJob<v1::GetRatemapsResponse>> MakeRatemapsJob(Database& database,
                                                                    const ResultFiles& files,
                                                                    RatemapsQuestion question);

}  // namespace gridsweep::analysis

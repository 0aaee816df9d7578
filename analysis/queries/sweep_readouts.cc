#include "analysis/queries/sweep_readouts.h"

#include <algorithm>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::analysis {
namespace {

// As a PostgreSQL array: every parameter that has no part in a readout.
std::string OtherParameters() {
  const auto readout = science::ReadoutParameterNames();
  std::string names;
  for (const auto& parameter : science::Parameters()) {
    if (std::ranges::find(readout, parameter.name) != readout.end()) continue;
    names += StrCat(names.empty() ? "" : ",", parameter.name);
  }
  return StrCat("{", names, "}");
}

}  // namespace

absl::StatusOr<SweepReadouts> ReadSweepReadouts(Snapshot& snapshot, int64_t sweep_id, int limit) {
  SqlParams params;
  const std::string sweep = params.Int(sweep_id);
  const auto sweeps =
      snapshot.Exec(StrCat("select run_count from sweeps where sweep_id = ", sweep), params);
  if (sweeps.empty()) return absl::NotFoundError(StrCat("there is no sweep ", sweep_id));
  // Rows may differ in parameters that their kind of readout does not use, so
  // more are read than there will be readouts.
  const auto rows =
      snapshot.Exec(StrCat("select r.config::text, g.seed, g.runs from (select min(run_id) first,"
                           " min(seed) seed, count(*) runs from runs where sweep_id = ",
                           sweep, " group by config - ", params.Text(OtherParameters()),
                           "::text[]) g join runs r on r.run_id = g.first order by g.first limit ",
                           params.Int(16 * limit)),
                    params);
  SweepReadouts found{{}, AsInt(sweeps[0][0])};
  std::vector<science::RunConfig> kinds;
  for (const auto& row : rows) {
    ASSIGN_OR_RETURN(science::RunConfig config, sweepspec::FromCanonicalJson(row[0].c_str()));
    config.seed = AsInt(row[1]);
    const science::RunConfig kind = science::ReadoutOf(config);
    const auto at = static_cast<size_t>(std::ranges::find(kinds, kind) - kinds.begin());
    if (at == kinds.size()) {
      if (at == static_cast<size_t>(limit)) continue;
      kinds.push_back(kind);
      found.readouts.push_back({config, 0});
    }
    auto& same = found.readouts[at];
    same.config.seed = std::min(same.config.seed, config.seed);
    same.runs += AsInt(row[2]);
    found.runs_left_out -= AsInt(row[2]);
  }
  return found;
}

}  // namespace gridsweep::analysis

#include "analysis/queries/finished_runs.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<FinishedRun>> ReadFinishedRuns(Snapshot& snapshot,
                                                          const Selection& selection, int limit,
                                                          const std::string& path) {
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  const auto rows = snapshot.Exec(
      StrCat(with, " select ", KeyColumns(selection, "s."),
             "s.run_id, r.sweep_id, r.readout, p.artifact from selected s join runs r"
             " using (run_id) join run_results p on p.run_id = s.run_id order by s.run_id limit ",
             params.Int(int64_t{limit} + 1)),
      params);
  if (rows.size() > static_cast<size_t>(limit)) {
    return InvalidField(path, StrCat("more than ", limit,
                                     " finished runs are selected; ask for fewer sweeps or "
                                     "narrow the filter"));
  }
  std::vector<FinishedRun> runs;
  for (const auto& row : rows) {
    FinishedRun& run = runs.emplace_back();
    run.key = KeyOf(selection, row);
    auto column = static_cast<pqxx::row::size_type>(selection.group_by.size());
    run.run_id = AsInt(row[column]);
    run.sweep_id = AsInt(row[++column]);
    run.readout = row[++column].c_str();
    if (!row[++column].is_null()) run.artifact = AsBytes(row[column]);
  }
  return runs;
}

}  // namespace gridsweep::analysis

#include "analysis/queries/joint_scores.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<JointCount>> ReadJointScores(Snapshot& snapshot,
                                                        const Selection& selection, double side) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, selection, "where"));
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  const std::string width = params.Number(side);
  const std::string by = GroupByKeys(selection);
  const auto rows =
      snapshot.Exec(StrCat(with, " select ", KeyColumns(selection), "floor(u.grid_score_60 / ",
                           width, ")::bigint as i, floor(u.grid_score_90 / ", width,
                           ")::bigint as j, count(*) from selected s join units u using (run_id)"
                           " where u.grid_score_60 is not null and u.grid_score_90 is not null",
                           by.empty() ? " group by " : by + ", ", "i, j order by ",
                           KeyColumns(selection), "i, j"),
                    params);
  std::vector<JointCount> counts;
  for (const auto& row : rows) {
    const Key key = KeyOf(selection, row);
    const auto column = static_cast<pqxx::row::size_type>(key.size());
    counts.push_back({KeyValues(selection, key), static_cast<double>(AsInt(row[column])) * side,
                      static_cast<double>(AsInt(row[column + 1])) * side, AsInt(row[column + 2])});
  }
  return counts;
}

}  // namespace gridsweep::analysis

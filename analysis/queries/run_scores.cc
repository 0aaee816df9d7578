#include "analysis/queries/run_scores.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<RunScores>> ReadRunScores(Snapshot& snapshot, const Selection& selection,
                                                     const std::vector<double>& quantiles,
                                                     int64_t limit) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, selection, "where"));
  SqlParams params;
  const std::string with = WithSelected(selection, params, {"loss"});
  const std::string keys = KeyColumns(selection);
  const std::string at = params.Numbers(quantiles);
  const auto rows = snapshot.Exec(
      StrCat(with, " select ", keys, "run_id, loss, a.score_60, b.score_90 from (select * from",
             " selected where loss is not null order by run_id limit ", params.Int(limit + 1),
             ") s cross join lateral (select percentile_cont(", at,
             ") within group (order by grid_score_60) as score_60 from units u where u.run_id ="
             " s.run_id) a cross join lateral (select percentile_cont(",
             at,
             ") within group (order by grid_score_90) as score_90 from units u where u.run_id ="
             " s.run_id) b where a.score_60 is not null and b.score_90 is not null"
             " order by run_id"),
      params);
  if (static_cast<int64_t>(rows.size()) > limit) {
    return absl::ResourceExhaustedError(
        StrCat("more than ", limit, " runs are selected; narrow the selection"));
  }
  std::vector<RunScores> runs;
  for (const auto& row : rows) {
    const Key key = KeyOf(selection, row);
    const auto column = static_cast<pqxx::row::size_type>(key.size());
    runs.push_back({AsInt(row[column]), KeyValues(selection, key), AsDouble(row[column + 1]),
                    AsDoubles(row[column + 2]), AsDoubles(row[column + 3])});
  }
  return runs;
}

}  // namespace gridsweep::analysis

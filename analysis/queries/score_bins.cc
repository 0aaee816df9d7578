#include "analysis/queries/score_bins.h"

#include <map>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<ScoreBins>> ReadScoreBins(Snapshot& snapshot, const Selection& selection,
                                                     const science::Metric& metric) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, selection, "where"));
  std::vector<ScoreBins> histograms;
  std::map<Key, size_t> place;
  for (auto& [key, group] : ReadCoverage(snapshot, selection)) {
    place[key] = histograms.size();
    histograms.push_back({group, std::vector<int64_t>(science::kScoreBins)});
  }
  SqlParams sums;
  const std::string selected = WithSelected(selection, sums);
  for (const auto& row :
       snapshot.Exec(StrCat(selected, " select ", KeyColumns(selection),
                            "coalesce(sum(n), 0), coalesce(sum(nulls), 0), count(*) filter (where"
                            " o.bins is null) from selected s left join unit_rollups o"
                            " on o.run_id = s.run_id and o.metric = ",
                            sums.Text(metric.name), GroupByKeys(selection)),
                     sums)) {
    const Key key = KeyOf(selection, row);
    auto column = static_cast<pqxx::row::size_type>(key.size());
    v1::Coverage& coverage = *histograms[place.at(key)].group.mutable_coverage();
    coverage.set_units(AsInt(row[column]));
    coverage.set_nulls(AsInt(row[++column]));
    if (const int64_t missing = AsInt(row[++column]); missing > 0) {
      return absl::DataLossError(StrCat(missing, " finished runs have no rollup of ", metric.name,
                                        "; VerifySweep names them"));
    }
  }
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  const std::string name = params.Text(metric.name);
  const std::string by = GroupByKeys(selection);
  for (const auto& row :
       snapshot.Exec(StrCat(with, " select ", KeyColumns(selection),
                            "bin, sum(c)::bigint from selected s join unit_rollups o"
                            " on o.run_id = s.run_id and o.metric = ",
                            name, ", unnest(o.bins) with ordinality b(c, bin) where c > 0",
                            by.empty() ? " group by bin" : by + ", bin"),
                     params)) {
    const Key key = KeyOf(selection, row);
    const auto column = static_cast<pqxx::row::size_type>(key.size());
    // PostgreSQL's arrays count from 1.
    histograms[place.at(key)].units[AsInt(row[column]) - 1] = AsInt(row[column + 1]);
  }
  return histograms;
}

}  // namespace gridsweep::analysis

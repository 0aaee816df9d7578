#include "analysis/queries/run_means.h"

#include <map>
#include <string>

#include "analysis/interval.h"
#include "common/strings.h"

namespace gridsweep::analysis {

std::vector<CoveredMean> ReadRunMeans(Snapshot& snapshot, const Selection& selection,
                                      const science::Metric& metric) {
  SqlParams params;
  const std::string name(metric.name);
  const std::string with = WithSelected(selection, params, {name});
  std::map<Key, v1::MeanOverRuns> means;
  for (const auto& row : snapshot.Exec(
           StrCat(with, " select ", KeyColumns(selection), "count(", name, "), avg(", name,
                  "), stddev_samp(", name, ") from selected", GroupByKeys(selection)),
           params)) {
    auto column = static_cast<pqxx::row::size_type>(selection.group_by.size());
    const int64_t n = AsInt(row[column]);
    const double mean = AsOptionalDouble(row[++column]).value_or(0);
    const double sd = AsOptionalDouble(row[++column]).value_or(0);
    means[KeyOf(selection, row)] = MeanOverRunsOf(n, mean, sd);
  }
  std::vector<CoveredMean> rows;
  for (auto& [key, group] : ReadCoverage(snapshot, selection)) {
    CoveredMean& row = rows.emplace_back();
    row.mean = means[key];
    row.group = std::move(group);
    auto& coverage = *row.group.mutable_coverage();
    coverage.set_nulls(coverage.selected_runs() - row.mean.n());
  }
  return rows;
}

}  // namespace gridsweep::analysis

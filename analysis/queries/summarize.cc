#include "analysis/queries/summarize.h"

#include <map>

#include "analysis/queries/basis.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr int kMostQuantiles = 1000;

struct Summary {
  int64_t units = 0, nulls = 0, count = 0, without_rollup = 0;
  std::optional<double> mean, min, max;
  std::vector<double> quantiles;
};

std::map<Key, Summary> SummarizeUnits(Snapshot& snapshot, const SummarizeQuestion& q) {
  std::map<Key, Summary> summaries;
  SqlParams params;
  std::string with = WithSelected(q.selection, params);
  const std::string metric = params.Text(q.metric->name);
  for (const auto& row :
       snapshot.Exec(StrCat(with, " select ", KeyColumns(q.selection),
                            "coalesce(sum(n), 0), coalesce(sum(nulls), 0), sum(sum)"
                            " / nullif(sum(n - nulls), 0), min(min), max(max),"
                            " count(*) filter (where o.run_id is null) from selected s left join"
                            " unit_rollups o on o.run_id = s.run_id and o.metric = ",
                            metric, GroupByKeys(q.selection)),
                     params)) {
    Summary& summary = summaries[KeyOf(q.selection, row)];
    auto column = static_cast<pqxx::row::size_type>(q.selection.group_by.size());
    summary.units = AsInt(row[column]);
    summary.nulls = AsInt(row[++column]);
    summary.count = summary.units - summary.nulls;
    summary.mean = AsOptionalDouble(row[++column]);
    summary.min = AsOptionalDouble(row[++column]);
    summary.max = AsOptionalDouble(row[++column]);
    summary.without_rollup = AsInt(row[++column]);
  }
  SqlParams quantile_params;
  with = WithSelected(q.selection, quantile_params);
  for (const auto& row :
       snapshot.Exec(StrCat(with, " select ", KeyColumns(q.selection), "percentile_cont(",
                            quantile_params.Numbers(q.quantiles), ") within group (order by u.",
                            q.metric->name, ") from selected s join units u using (run_id)",
                            GroupByKeys(q.selection)),
                     quantile_params)) {
    summaries[KeyOf(q.selection, row)].quantiles =
        AsDoubles(row[static_cast<pqxx::row::size_type>(q.selection.group_by.size())]);
  }
  return summaries;
}

std::map<Key, Summary> SummarizeRuns(Snapshot& snapshot, const SummarizeQuestion& q) {
  std::map<Key, Summary> summaries;
  SqlParams params;
  const std::string metric(q.metric->name);
  const std::string with = WithSelected(q.selection, params, {metric});
  for (const auto& row : snapshot.Exec(
           StrCat(with, " select ", KeyColumns(q.selection), "count(*), count(", metric, "), avg(",
                  metric, "), min(", metric, "), max(", metric, "), percentile_cont(",
                  params.Numbers(q.quantiles), ") within group (order by ", metric,
                  ") from selected", GroupByKeys(q.selection)),
           params)) {
    Summary& summary = summaries[KeyOf(q.selection, row)];
    auto column = static_cast<pqxx::row::size_type>(q.selection.group_by.size());
    const int64_t runs = AsInt(row[column]);
    summary.count = AsInt(row[++column]);
    summary.nulls = runs - summary.count;
    summary.mean = AsOptionalDouble(row[++column]);
    summary.min = AsOptionalDouble(row[++column]);
    summary.max = AsOptionalDouble(row[++column]);
    summary.quantiles = AsDoubles(row[++column]);
  }
  return summaries;
}

}  // namespace

absl::StatusOr<SummarizeQuestion> ParseSummarize(const v1::SummarizeRequest& request) {
  SummarizeQuestion question;
  ASSIGN_OR_RETURN(question.selection, ParseSelection(request.where(), "where"));
  ASSIGN_OR_RETURN(question.metric, ResolveMetric(request.metric(), "metric"));
  if (request.quantiles_size() > kMostQuantiles) {
    return InvalidField("quantiles",
                        StrCat(request.quantiles_size(), " are more than ", kMostQuantiles));
  }
  for (int i = 0; i < request.quantiles_size(); ++i) {
    if (!(request.quantiles(i) >= 0 && request.quantiles(i) <= 1)) {
      return InvalidField(StrCat("quantiles[", i, "]"),
                          StrCat(request.quantiles(i), " is not in [0, 1]"));
    }
    question.quantiles.push_back(request.quantiles(i));
  }
  if (question.quantiles.empty()) question.quantiles = {0.05, 0.25, 0.5, 0.75, 0.95};
  return question;
}

absl::StatusOr<v1::SummarizeResponse> AnswerSummarize(Snapshot& snapshot,
                                                      const SummarizeQuestion& question) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, question.selection, "where"));
  const bool of_units = question.metric->level == science::MetricLevel::kUnit;
  const auto summaries =
      of_units ? SummarizeUnits(snapshot, question) : SummarizeRuns(snapshot, question);
  v1::SummarizeResponse response;
  *response.mutable_basis() =
      MakeBasis(snapshot, *question.metric, of_units ? "rollups+units" : "runs");
  response.mutable_quantiles()->Assign(question.quantiles.begin(), question.quantiles.end());
  for (auto& [key, group] : ReadCoverage(snapshot, question.selection)) {
    const auto found = summaries.find(key);
    const Summary summary = found == summaries.end() ? Summary{} : found->second;
    if (summary.without_rollup > 0) {
      return absl::DataLossError(StrCat(summary.without_rollup, " finished runs have no rollup of ",
                                        question.metric->name, "; VerifySweep names them"));
    }
    auto& row = *response.add_rows();
    *row.mutable_group() = group;
    row.mutable_group()->mutable_coverage()->set_units(summary.units);
    row.mutable_group()->mutable_coverage()->set_nulls(summary.nulls);
    row.set_count(summary.count);
    if (summary.mean) row.set_mean(*summary.mean);
    if (summary.min) row.set_min(*summary.min);
    if (summary.max) row.set_max(*summary.max);
    row.mutable_quantiles()->Assign(summary.quantiles.begin(), summary.quantiles.end());
  }
  return response;
}

}  // namespace gridsweep::analysis

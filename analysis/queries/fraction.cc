#include "analysis/queries/fraction.h"

#include <cmath>
#include <limits>
#include <map>

#include "analysis/interval.h"
#include "analysis/queries/basis.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

using science::Metric;
using science::MetricLevel;

std::string_view OperatorOf(v1::Comparison op) {
  switch (op) {
    case v1::COMPARISON_GE:
      return ">=";
    case v1::COMPARISON_LT:
      return "<";
    case v1::COMPARISON_LE:
      return "<=";
    default:
      return ">";
  }
}

bool IsUpper(v1::Comparison op) { return op == v1::COMPARISON_GT || op == v1::COMPARISON_GE; }

// How a comparison falls on the score bins: bins [first, last] whole, plus or
// minus the units whose value lies in a part of bin `cut`.
struct BinPlan {
  int first = 0, last = -1;
  int sign = 0;           // 0: the bins say it all
  std::string condition;  // on the unit's value, bound into `params`
};

BinPlan PlanBins(v1::Comparison op, double threshold, const std::string& column,
                 SqlParams& params) {
  const auto& edges = science::ScoreEdges();
  const int bin = science::ScoreBin(threshold);
  // Bin k is (e[k-1], e[k]]: a threshold on e[k] leaves nothing of bin k above it.
  const bool on_edge = bin < science::kScoreEdges && edges[bin] == threshold;
  BinPlan plan;
  if (IsUpper(op)) {
    plan.first = bin + 1;
    plan.last = science::kScoreBins - 1;
  } else {
    plan.first = 0;
    plan.last = on_edge ? bin : bin - 1;
  }
  if (on_edge) {
    if (op == v1::COMPARISON_GE) plan.sign = +1;
    if (op == v1::COMPARISON_LT) plan.sign = -1;
    if (plan.sign != 0) plan.condition = StrCat(column, " = ", params.Number(threshold));
    return plan;
  }
  plan.sign = +1;
  plan.condition = StrCat(column, " ", OperatorOf(op), " ", params.Number(threshold));
  if (IsUpper(op) && bin < science::kScoreEdges) {
    plan.condition += StrCat(" and ", column, " <= ", params.Number(edges[bin]));
  }
  if (!IsUpper(op) && bin > 0) {
    plan.condition += StrCat(" and ", column, " > ", params.Number(edges[bin - 1]));
  }
  return plan;
}

// What one group's runs add up to.
struct Tally {
  ClusterSums sums;
  int64_t runs_passing = 0;
  int64_t units = 0, nulls = 0;
  int64_t without_rollup = 0;
};

struct Statement {
  std::string sql;  // keys, then the columns that ReadTallies reads
  SqlParams params;
  std::string source;
};

// Adds up `per_run` (k..., n units, nulls, hits, missing).
std::string AddUp(const Selection& selection) {
  return StrCat(" select ", KeyColumns(selection),
                "count(*) filter (where n > 0), coalesce(sum(hits), 0), coalesce(sum(n), 0),"
                " coalesce(sum(hits * hits), 0), coalesce(sum(hits * n), 0),"
                " coalesce(sum(n * n), 0), count(*) filter (where hits > 0),"
                " coalesce(sum(nulls), 0), count(*) filter (where missing) from per_run",
                GroupByKeys(selection));
}

Statement UnitsFromBins(const FractionQuestion& q) {
  Statement s;
  const std::string with = WithSelected(q.selection, s.params);
  const std::string metric = s.params.Text(q.metric->name);
  const BinPlan plan = PlanBins(q.op, q.threshold, StrCat("u.", q.metric->name), s.params);
  s.source = plan.sign == 0 ? "rollups" : "rollups+units";
  // PostgreSQL's arrays count from 1.
  s.sql = StrCat(with, ", whole as (select s.*, o.n::bigint, o.nulls::bigint,",
                 " o.bins is null as missing, (select coalesce(sum(c), 0) from unnest(o.bins[",
                 plan.first + 1, ":", plan.last + 1,
                 "]) c)::bigint as hits from selected s left join unit_rollups o"
                 " on o.run_id = s.run_id and o.metric = ",
                 metric, ")");
  if (plan.sign == 0) {
    s.sql += ", per_run as (select * from whole)";
  } else {
    s.sql += StrCat(", cut as (select u.run_id, count(*) as c from units u join selected s",
                    " using (run_id) where ", plan.condition, " group by u.run_id)",
                    ", per_run as (select ", KeyColumns(q.selection, "w."),
                    "w.n, w.nulls, w.missing, w.hits ", plan.sign > 0 ? "+" : "-",
                    " coalesce(cut.c, 0) as hits from whole w left join cut using (run_id))");
  }
  s.sql += AddUp(q.selection);
  return s;
}

Statement UnitsFromUnits(const FractionQuestion& q) {
  Statement s;
  s.source = "units";
  const std::string with = WithSelected(q.selection, s.params);
  s.sql = StrCat(with, ", counted as (select u.run_id, count(*) as n, count(*) - count(u.",
                 q.metric->name, ") as nulls, count(*) filter (where u.", q.metric->name, " ",
                 OperatorOf(q.op), " ", s.params.Number(q.threshold),
                 ") as hits from units u join selected s using (run_id) group by u.run_id)"
                 ", per_run as (select s.*, coalesce(n, 0) as n, coalesce(nulls, 0) as nulls,"
                 " coalesce(hits, 0) as hits, false as missing from selected s"
                 " left join counted using (run_id))",
                 AddUp(q.selection));
  return s;
}

Statement RunsWithAUnit(const FractionQuestion& q) {
  Statement s;
  s.source = "rollups";
  const std::string with = WithSelected(q.selection, s.params);
  const std::string metric = s.params.Text(q.metric->name);
  s.sql = StrCat(with, ", per_run as (select s.*, o.n::bigint, o.nulls::bigint, o.run_id is null",
                 " as missing, coalesce((o.", IsUpper(q.op) ? "max" : "min", " ", OperatorOf(q.op),
                 " ", s.params.Number(q.threshold),
                 ")::int, 0)::bigint as hits from selected s left join unit_rollups o"
                 " on o.run_id = s.run_id and o.metric = ",
                 metric, ")", AddUp(q.selection));
  return s;
}

Statement RunsByMetric(const FractionQuestion& q) {
  Statement s;
  s.source = "runs";
  const std::string column(q.metric->name);
  const std::string with = WithSelected(q.selection, s.params, {column});
  s.sql = StrCat(with, ", per_run as (select *, 0::bigint as n, (", column,
                 " is null)::int::bigint as nulls, false as missing, coalesce((", column, " ",
                 OperatorOf(q.op), " ", s.params.Number(q.threshold),
                 ")::int, 0)::bigint as hits from selected)", AddUp(q.selection));
  return s;
}

std::map<Key, Tally> ReadTallies(Snapshot& snapshot, const Statement& statement,
                                 const Selection& selection) {
  std::map<Key, Tally> tallies;
  for (const auto& row : snapshot.Exec(statement.sql, statement.params)) {
    Tally& tally = tallies[KeyOf(selection, row)];
    auto column = static_cast<pqxx::row::size_type>(selection.group_by.size());
    tally.sums.runs = AsInt(row[column]);
    tally.sums.x = AsInt(row[++column]);
    tally.sums.m = tally.units = AsInt(row[++column]);
    tally.sums.xx = AsInt(row[++column]);
    tally.sums.xm = AsInt(row[++column]);
    tally.sums.mm = AsInt(row[++column]);
    tally.runs_passing = AsInt(row[++column]);
    tally.nulls = AsInt(row[++column]);
    tally.without_rollup = AsInt(row[++column]);
  }
  return tallies;
}

}  // namespace

absl::StatusOr<FractionQuestion> ParseFraction(const v1::FractionRequest& request) {
  FractionQuestion question;
  ASSIGN_OR_RETURN(question.selection, ParseSelection(request.where(), "where"));
  ASSIGN_OR_RETURN(question.metric, ResolveMetric(request.metric(), "metric"));
  const bool of_units = question.metric->level == MetricLevel::kUnit;
  question.of = request.of() != v1::POPULATION_UNSPECIFIED ? request.of()
                : of_units                                 ? v1::POPULATION_UNITS
                                                           : v1::POPULATION_RUNS;
  if (!v1::Population_IsValid(question.of)) {
    return InvalidField("of", StrCat("there is no population ", static_cast<int>(question.of)));
  }
  if (of_units == (question.of == v1::POPULATION_RUNS)) {
    return InvalidField(
        "of", of_units ? StrCat(question.metric->name,
                                " is a metric of units: ask for units or "
                                "runs-any-unit")
                       : StrCat(question.metric->name, " is a metric of runs: ask for runs"));
  }
  question.op = request.op() == v1::COMPARISON_UNSPECIFIED ? v1::COMPARISON_GT : request.op();
  if (!v1::Comparison_IsValid(question.op)) {
    return InvalidField("op", StrCat("there is no comparison ", static_cast<int>(question.op)));
  }
  question.threshold = request.has_threshold() ? request.threshold() : 0.8;
  if (std::isnan(question.threshold)) return InvalidField("threshold", "NaN; give a number");
  return question;
}

absl::StatusOr<v1::FractionResponse> AnswerFraction(Snapshot& snapshot,
                                                    const FractionQuestion& question) {
  const Selection& selection = question.selection;
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, selection, "where"));
  const bool of_units = question.of == v1::POPULATION_UNITS;
  const Statement statement = question.of == v1::POPULATION_RUNS ? RunsByMetric(question)
                              : question.of == v1::POPULATION_RUNS_ANY_UNIT
                                  ? RunsWithAUnit(question)
                              : question.metric->binned ? UnitsFromBins(question)
                                                        : UnitsFromUnits(question);
  const auto tallies = ReadTallies(snapshot, statement, selection);
  v1::FractionResponse response;
  *response.mutable_basis() = MakeBasis(snapshot, *question.metric, statement.source);
  for (auto& [key, group] : ReadCoverage(snapshot, selection)) {
    const auto found = tallies.find(key);
    const Tally tally = found == tallies.end() ? Tally{} : found->second;
    if (tally.without_rollup > 0) {
      return absl::DataLossError(StrCat(tally.without_rollup, " finished runs have no rollup of ",
                                        question.metric->name, "; VerifySweep names them"));
    }
    auto& row = *response.add_rows();
    *row.mutable_group() = group;
    row.mutable_group()->mutable_coverage()->set_units(tally.units);
    row.mutable_group()->mutable_coverage()->set_nulls(tally.nulls);
    row.set_numerator(of_units ? tally.sums.x : tally.runs_passing);
    row.set_denominator(of_units ? tally.units : group.coverage().selected_runs());
    row.set_fraction(row.denominator() == 0 ? std::numeric_limits<double>::quiet_NaN()
                                            : static_cast<double>(row.numerator()) /
                                                  static_cast<double>(row.denominator()));
    const auto interval = of_units ? ClusterRobustInterval(tally.sums)
                                   : WilsonInterval(row.numerator(), row.denominator());
    if (interval) *row.mutable_interval() = *interval;
  }
  return response;
}

}  // namespace gridsweep::analysis

#include "analysis/queries/verify_queries.h"

#include <charconv>

#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr const char* kRepeatedColumns[] = {
    "rnn_type",
    "activation",
    "ng",
    "np",
    "place_cell_rf",
    "place_cell_rf_low",
    "place_cell_rf_high",
    "surround_scale",
    "surround_scale_low",
    "surround_scale_high",
    "seed",
};

// "{1,2,3}"
std::vector<int64_t> ReadInts(const pqxx::field& field) {
  std::vector<int64_t> values;
  const char* at = field.c_str() + 1;
  const char* end = field.c_str() + field.size() - 1;
  while (at < end) {
    int64_t value = 0;
    const auto result = std::from_chars(at, end, value);
    if (result.ec != std::errc()) break;
    values.push_back(value);
    at = result.ptr + 1;
  }
  return values;
}

RunFacts ReadRun(const pqxx::row& row, const MetricColumns& metrics) {
  RunFacts run{};
  run.run_id = AsInt(row["run_id"]);
  run.ordinal = AsInt(row["ordinal"]);
  run.config_hash = AsBytes(row["config_hash"]);
  run.config_json = row["config"].c_str();
  for (const char* column : kRepeatedColumns) run.columns[column] = row[column].c_str();
  run.total_steps = AsInt(row["total_steps"]);
  if (!row["state"].is_null()) {
    run.state = AsInt(row["state"]);
    run.attempt = AsInt(row["attempt"]);
    run.failures = AsInt(row["failures"]);
  }
  if (!row["lease_attempt"].is_null()) run.lease_attempt = AsInt(row["lease_attempt"]);
  if (row["outcome"].is_null()) return run;
  ResultFacts& result = run.result.emplace();
  result.outcome = AsInt(row["outcome"]);
  result.token = row["token"].c_str();
  if (!row["artifact"].is_null()) result.artifact = AsBytes(row["artifact"]);
  if (!row["size"].is_null()) result.artifact_size = AsInt(row["size"]);
  result.unit_count = AsInt(row["unit_count"]);
  result.steps = AsInt(row["steps"]);
  if (!row["reused_from"].is_null()) result.reused_from = AsInt(row["reused_from"]);
  if (!row["source_config_hash"].is_null()) {
    result.source_config_hash = AsBytes(row["source_config_hash"]);
  }
  result.has_readout = row["has_readout"].as<bool>();
  if (!row["units_above"].is_null()) result.units_above = ReadInts(row["units_above"]);
  result.equals_source = row["equals_source"].as<bool>();
  for (const std::string& metric : metrics.of_runs) {
    result.metrics[metric] = AsOptionalDouble(row[metric]);
  }
  return run;
}

}  // namespace

absl::StatusOr<SweepFacts> ReadSweepFacts(Snapshot& snapshot, int64_t sweep_id) {
  SqlParams params;
  const auto rows = snapshot.Exec(
      StrCat("select method, first_run_id, run_count from sweeps where deleted_at is null"
             " and sweep_id = ",
             params.Int(sweep_id)),
      params);
  if (rows.empty()) return absl::NotFoundError(StrCat("sweep_id: there is no sweep ", sweep_id));
  return SweepFacts{sweep_id, rows[0][0].c_str(), AsInt(rows[0][1]), AsInt(rows[0][2])};
}

MetricColumns ReadMetricColumns(Snapshot& snapshot) {
  MetricColumns columns;
  for (const auto& row :
       snapshot.Exec("select attname, attrelid = 'public.units'::regclass from pg_attribute"
                     " where attrelid in ('public.units'::regclass, 'public.run_results'::regclass)"
                     " and attnum > 0 and not attisdropped and atttypid = 'float8'::regtype"
                     " and attname <> 'compute_seconds' order by attnum")) {
    (row[1].as<bool>() ? columns.of_units : columns.of_runs).emplace_back(row[0].c_str());
  }
  return columns;
}

std::vector<RunFacts> ReadRunFacts(Snapshot& snapshot, int64_t sweep_id, int64_t after, int limit,
                                   const MetricColumns& metrics) {
  SqlParams params;
  std::string sql =
      "select r.*, st.state, st.attempt, st.failures, l.attempt as lease_attempt, p.outcome,"
      " p.token, p.artifact, a.size, p.unit_count, p.steps, p.reused_from,"
      " (p.readout, p.readout_family) is not distinct from (r.readout, r.readout_family)"
      " as has_readout, p.units_above, o.config_hash as source_config_hash,"
      " (p.outcome, p.artifact, p.steps, p.unit_count, p.numerics_id, p.science_version)"
      " is not distinct from (q.outcome, q.artifact, q.steps, q.unit_count, q.numerics_id,"
      " q.science_version) as equals_source";
  for (const std::string& metric : metrics.of_runs) sql += StrCat(", p.", metric);
  sql +=
      " from runs r"
      " left join run_state st using (run_id) left join leases l using (run_id)"
      " left join run_results p using (run_id)"
      " left join run_results q on q.run_id = p.reused_from"
      " left join runs o on o.run_id = q.run_id"
      " left join artifacts a on a.sha256 = p.artifact";
  sql += StrCat(" where r.sweep_id = ", params.Int(sweep_id), " and r.run_id > ", params.Int(after),
                " order by r.run_id limit ", params.Int(limit));
  std::vector<RunFacts> runs;
  std::vector<int64_t> ids;
  for (const auto& row : snapshot.Exec(sql, params)) {
    runs.push_back(ReadRun(row, metrics));
    ids.push_back(runs.back().run_id);
  }
  std::map<int64_t, RunFacts*> by_id;
  for (RunFacts& run : runs) by_id[run.run_id] = &run;

  SqlParams id_params;
  const std::string of_these = StrCat(" where run_id = any(", id_params.Ints(ids), ") order by ");
  for (const auto& row : snapshot.Exec(
           "select run_id, attempt, token, outcome, counted, withdrawn is not null from attempts" +
               of_these + "run_id, attempt",
           id_params)) {
    by_id[AsInt(row[0])]->attempts.push_back(
        {AsInt(row[1]), row[2].c_str(), row[3].c_str(), row[4].as<bool>(), row[5].as<bool>()});
  }
  for (const auto& row : snapshot.Exec(
           "select run_id, step from learning_curves" + of_these + "run_id, step", id_params)) {
    by_id[AsInt(row[0])]->curve_steps.push_back(AsInt(row[1]));
  }
  for (const auto& row : snapshot.Exec("select run_id, metric, n, nulls, min, max, sum, bins"
                                       " from unit_rollups" +
                                           of_these + "run_id, metric",
                                       id_params)) {
    RollupFacts& rollup = by_id[AsInt(row[0])]->rollups.emplace_back();
    rollup = {row[1].c_str(),           AsInt(row[2]),    AsInt(row[3]), AsOptionalDouble(row[4]),
              AsOptionalDouble(row[5]), AsDouble(row[6]), std::nullopt};
    if (!row[7].is_null()) rollup.bins = ReadInts(row[7]);
  }
  std::string columns = "run_id, unit";
  for (const auto& column : metrics.of_units) columns += ", " + column;
  for (const auto& row : snapshot.Exec(
           StrCat("select ", columns, " from units", of_these, "run_id, unit"), id_params)) {
    RunFacts& run = *by_id[AsInt(row[0])];
    run.units.push_back(AsInt(row[1]));
    pqxx::row::size_type at = 2;
    for (const auto& column : metrics.of_units) {
      run.unit_values[column].push_back(AsOptionalDouble(row[at++]));
    }
  }
  return runs;
}

}  // namespace gridsweep::analysis

#include "coordinator/store/runs.h"

#include <nlohmann/json.hpp>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kFixedColumns = 17;
// An answer has at most 4 MiB, learning curve and all. Of one attempt less than 200 kB.
constexpr int kAttemptsAPage = 100;
constexpr size_t kAttemptBytesAPage = size_t{2} << 20;

// Run-level metrics follow the fixed columns, in the order of the registry.
std::string SelectRun(const char* rest) {
  std::string sql = R"(
  select r.run_id, r.sweep_id, r.ordinal, st.state, st.attempt, st.failures, r.config::text,
         encode(r.config_hash, 'hex'), r.readout, r.readout_family,
         coalesce(w.name, (select a.worker from attempts a where a.run_id = r.run_id
                           order by a.attempt desc limit 1), ''),
         (extract(epoch from p.finished_at) * 1000000)::bigint,
         coalesce(encode(p.artifact, 'hex'), ''), r.seed, coalesce(p.numerics_id, ''),
         coalesce(p.science_version, 0), coalesce(p.reused_from, 0))";
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level == science::MetricLevel::kRun) sql += StrCat(", p.", metric.name);
  }
  return StrCat(sql, R"(
  from runs r join run_state st using (run_id) left join run_results p using (run_id)
  left join leases l using (run_id) left join workers w on w.worker_id = l.worker_id )",
                rest);
}

absl::StatusOr<v1::Run> ReadRun(const pqxx::row& row) {
  v1::Run run;
  run.set_run_id(row[0].as<int64_t>());
  run.set_sweep_id(row[1].as<int64_t>());
  run.set_ordinal(row[2].as<int64_t>());
  run.set_state(ToProto(static_cast<State>(row[3].as<int>())));
  run.set_attempt(row[4].as<int>());
  run.set_failures(row[5].as<int>());
  ASSIGN_OR_RETURN(const science::RunConfig config, sweepspec::FromCanonicalJson(row[6].c_str()));
  *run.mutable_config() = sweepspec::ToProto(config);
  run.set_config_hash(row[7].c_str());
  run.set_readout(row[8].c_str());
  run.set_readout_family(row[9].c_str());
  run.set_worker(row[10].c_str());
  if (!row[11].is_null()) *run.mutable_finished_at() = FromMicros(row[11]);
  run.set_artifact_sha256(row[12].c_str());
  run.set_numerics_id(row[14].c_str());
  run.set_science_version(row[15].as<unsigned>());
  run.set_reused_from_run_id(row[16].as<int64_t>());
  int column = kFixedColumns;
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level != science::MetricLevel::kRun) continue;
    const auto field = row[column++];
    if (!field.is_null()) (*run.mutable_metrics())[std::string(metric.name)] = field.as<double>();
  }
  if (run.state() == v1::RUN_STATE_LEASED) {
    auto* progress = run.mutable_progress();
    progress->set_run_id(run.run_id());
    progress->set_readout(run.readout());
    progress->set_seed(row[13].as<int64_t>());
    progress->set_state(run.state());
    progress->set_worker(run.worker());
    progress->set_total_steps(config.TotalSteps());
  }
  return run;
}

// As RetrySweep keeps it: the columns of run_results.
v1::WithdrawnResult ReadWithdrawn(const pqxx::row& row, int json_column) {
  const auto json = nlohmann::json::parse(row[json_column].c_str());
  v1::WithdrawnResult result;
  *result.mutable_withdrawn_at() = FromMicros(row[json_column + 1]);
  *result.mutable_finished_at() = FromMicros(row[json_column + 2]);
  result.set_steps(json.value("steps", uint64_t{0}));
  result.set_compute_seconds(json.value("compute_seconds", 0.0));
  result.set_artifact_sha256(json.value("artifact", ""));
  result.set_numerics_id(json.value("numerics_id", ""));
  result.set_science_version(json.value("science_version", 0u));
  for (const science::Metric& metric : science::Metrics()) {
    const auto found = json.find(std::string(metric.name));
    if (metric.level == science::MetricLevel::kRun && found != json.end()) {
      (*result.mutable_metrics())[std::string(metric.name)] = found->get<double>();
    }
  }
  return result;
}

constexpr Statement kSweepExists{
    "sweep_exists", "select 1 from sweeps where sweep_id = $1::bigint and deleted_at is null"};
constexpr Statement kAttempts{"list_attempts_of_run", R"(
  select attempt, worker, host, (extract(epoch from granted_at) * 1000000)::bigint,
         (extract(epoch from ended_at) * 1000000)::bigint, outcome, left(error, 20000), log_tail,
         counted, withdrawn::text, (withdrawn->>'withdrawn_us')::bigint,
         (withdrawn->>'finished_us')::bigint
  from attempts where run_id = $1 and attempt > $2 order by attempt limit $3)"};
constexpr Statement kCurve{"get_learning_curve", R"(
  select step, loss, error_cm, array_to_string(fraction_above, ' ')
  from learning_curves where run_id = $1 order by step limit 4096)"};
constexpr Statement kInstance{"get_instance_id", "select instance_id from instance"};
constexpr Statement kHasArtifacts{"has_artifacts", "select exists (select from artifacts)"};

}  // namespace

absl::StatusOr<std::vector<v1::Run>> ListRuns(Database& database, int64_t sweep_id,
                                              const std::vector<State>& states, int64_t after,
                                              int limit) {
  static const std::string sql = SelectRun(R"(
  where r.sweep_id = $1::bigint and r.run_id > $2 and (cardinality($3::smallint[]) = 0
    or st.state = any($3::smallint[]))
  order by r.run_id limit $4)");
  static const Statement kList{"list_runs", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<v1::Run>> {
    if (t.Exec(kSweepExists, {sweep_id}).empty()) {
      return absl::NotFoundError(StrCat("there is no sweep ", sweep_id));
    }
    Params wanted;
    for (State state : states) wanted.emplace_back(static_cast<int>(state));
    std::vector<v1::Run> runs;
    for (const auto& row : t.Exec(kList, {sweep_id, after, Array(wanted), limit})) {
      ASSIGN_OR_RETURN(v1::Run run, ReadRun(row));
      runs.push_back(std::move(run));
    }
    return runs;
  });
}

absl::StatusOr<v1::GetRunResponse> GetRun(Database& database, int64_t run_id, int64_t after) {
  static const std::string sql = SelectRun(R"(
  where r.run_id = $1
    and exists (select from sweeps s where s.sweep_id = r.sweep_id and s.deleted_at is null))");
  static const Statement kGet{"get_run", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<v1::GetRunResponse> {
    v1::GetRunResponse response;
    const pqxx::result rows = t.Exec(kGet, {run_id});
    if (rows.empty()) return absl::NotFoundError(StrCat("there is no run ", run_id));
    ASSIGN_OR_RETURN(*response.mutable_run(), ReadRun(rows[0]));
    const pqxx::result attempts = t.Exec(kAttempts, {run_id, after, kAttemptsAPage + 1});
    size_t bytes = 0;
    for (const auto& row : attempts) {
      if (response.attempts_size() == kAttemptsAPage || bytes > kAttemptBytesAPage) {
        response.set_next_attempts_page_token(
            StrCat(response.attempts(response.attempts_size() - 1).attempt()));
        break;
      }
      auto* attempt = response.add_attempts();
      attempt->set_attempt(row[0].as<int>());
      attempt->set_worker(row[1].c_str());
      attempt->set_host(row[2].c_str());
      *attempt->mutable_granted_at() = FromMicros(row[3]);
      *attempt->mutable_ended_at() = FromMicros(row[4]);
      attempt->set_outcome(row[5].c_str());
      attempt->set_error(row[6].c_str());
      attempt->set_log_tail(row[7].c_str());
      attempt->set_counted(row[8].as<bool>());
      if (!row[9].is_null()) *attempt->mutable_withdrawn() = ReadWithdrawn(row, 9);
      bytes += attempt->ByteSizeLong();
    }
    for (const auto& row : t.Exec(kCurve, {run_id})) {
      auto* point = response.add_learning_curve();
      point->set_step(row[0].as<uint64_t>());
      if (!row[1].is_null()) point->set_loss(row[1].as<double>());
      if (!row[2].is_null()) point->set_error_cm(row[2].as<double>());
      if (row[3].is_null()) continue;
      const char* text = row[3].c_str();
      for (char* end = nullptr; *text != 0; text = end) {
        const double value = std::strtod(text, &end);
        if (end == text) break;
        point->add_fraction_above(value);
      }
    }
    return response;
  });
}

absl::StatusOr<std::string> InstanceId(Database& database) {
  return database.Transact([](Transaction& t) -> absl::StatusOr<std::string> {
    return std::string(t.Exec(kInstance)[0][0].c_str());
  });
}

absl::StatusOr<bool> HasArtifacts(Database& database) {
  return database.Transact([](Transaction& t) -> absl::StatusOr<bool> {
    return t.Exec(kHasArtifacts)[0][0].as<bool>();
  });
}

}  // namespace gridsweep::coordinator

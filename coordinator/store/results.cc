#include "coordinator/store/results.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "common/status.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/sweeps.h"
#include "science/config/metric_registry.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kMaxCurvePoints = 256;

constexpr Statement kLockLease{
    "lock_lease", "select 1 from leases where run_id = $1 and token = $2::uuid for update"};
constexpr Statement kReadLease{"read_lease",
                               "select 1 from leases where run_id = $1 and token = $2::uuid"};
// From here on the result names it.
constexpr Statement kTakeArtifact{"take_artifact_of_result", R"(
  with u as (delete from artifact_uploads where token = $2::uuid and sha256 = $1::bytea)
  update artifacts set touched_at = clock_timestamp() where sha256 = $1::bytea returning 1)"};
constexpr Statement kInsertArtifact{"insert_artifact", R"(
  insert into artifacts (sha256, size, kind) values ($1::bytea, $2, $3)
  on conflict (sha256) do update set touched_at = clock_timestamp())"};
// After the insert: who is about to unlink the file holds this row, and is waited for.
constexpr Statement kKeepArtifact{"keep_artifact_of_upload",
                                  "delete from artifact_garbage where sha256 = $1::bytea"};

constexpr Statement kLockRun{"lock_lease_to_complete", R"(
  select r.sweep_id, r.ng, r.total_steps, r.readout, r.readout_family
  from leases l join runs r using (run_id)
  where l.run_id = $1 and l.token = $2::uuid for update of l)"};
constexpr Statement kRecorded{"find_result_of_token",
                              "select 1 from run_results where run_id = $1 and token = $2::uuid"};
constexpr Statement kForgetCurve{"forget_learning_curve",
                                 "delete from learning_curves where run_id = $1"};
// Looked up, not joined, as in leases.cc.
constexpr Statement kEndLease{"end_lease_of_completed_run", R"(
  with gone as (delete from leases where run_id = $1 returning *),
  a as (insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at, outcome,
                               log_tail)
        select g.run_id, g.attempt, g.token, g.worker_id, w.name, w.host, g.granted_at, $2, $4
        from gone g
        cross join lateral (select name, host from workers where worker_id = g.worker_id offset 0) w),
  f as (delete from worker_failures where worker_id = any(array(select worker_id from gone)))
  update run_state set state = $3, changed_at = clock_timestamp() where run_id = $1)"};

Param OrNull(double value) { return std::isfinite(value) ? Param(value) : Param(std::nullopt); }

// How many units score above each of the published thresholds.
Param UnitsAbove(const Completion& completion) {
  if (completion.header.outcome() != v1::OUTCOME_SUCCEEDED) return std::nullopt;
  Params above;
  const auto found = completion.units.find("grid_score_60");
  for (const double threshold : science::kPublishedThresholds) {
    above.emplace_back(found == completion.units.end()
                           ? int64_t{0}
                           : std::ranges::count_if(
                                 found->second, [&](double score) { return score > threshold; }));
  }
  return Array(above);
}

// `run`: its row of kLockRun.
void InsertResult(Transaction& t, const pqxx::row& run, const Completion& completion) {
  static const std::string sql = [] {
    std::string columns, places;
    int place = 14;
    for (const science::Metric& metric : science::Metrics()) {
      if (metric.level != science::MetricLevel::kRun) continue;
      columns += StrCat(", ", metric.name);
      places += StrCat(", $", place++);
    }
    return StrCat(
        "insert into run_results (run_id, sweep_id, token, outcome, artifact, unit_count,"
        " steps, compute_seconds, numerics_id, science_version, readout, readout_family,"
        " units_above",
        columns, ") values ($1, $2, $3::uuid, $4, $5::bytea, $6, $7, $8, $9, $10, $11, $12, $13",
        places, ")");
  }();
  static const Statement kInsert{"insert_run_result", sql.c_str()};
  const v1::CompleteRunRequest::Header& header = completion.header;
  Params params = {
      header.ref().run_id(),
      run[0].as<int64_t>(),
      Uuid(header.ref().token()),
      static_cast<int>(header.outcome()),
      header.artifacts().empty() ? Param(std::nullopt) : Bytea(header.artifacts(0).sha256()),
      header.unit_count(),
      header.steps(),
      static_cast<double>(header.compute().seconds()) + header.compute().nanos() * 1e-9,
      header.numerics_id(),
      header.science_version(),
      run[3].c_str(),
      run[4].c_str(),
      UnitsAbove(completion)};
  std::map<std::string_view, double> metrics;
  for (const auto& [name, value] : header.run_metrics()) {
    metrics[science::FindMetric(name)->name] = value;
  }
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level != science::MetricLevel::kRun) continue;
    const auto found = metrics.find(metric.name);
    params.push_back(found == metrics.end() ? Param(std::nullopt) : OrNull(found->second));
  }
  t.Exec(kInsert, params);
}

void CopyUnits(Transaction& t, const Completion& completion) {
  const int64_t run_id = completion.header.ref().run_id();
  std::vector<std::string> columns = {"run_id", "unit"};
  std::vector<const std::vector<double>*> values;
  for (const auto& [name, column] : completion.units) {
    columns.push_back(name);
    values.push_back(&column);
  }
  t.Copy("units", columns, completion.header.unit_count(), [&](size_t unit) {
    Params row = {run_id, static_cast<int64_t>(unit)};
    for (const auto* column : values) row.push_back(OrNull((*column)[unit]));
    return row;
  });
}

// One row a unit metric; a metric that was not sent is NULL for all units.
void CopyRollups(Transaction& t, const Completion& completion) {
  std::vector<Params> rows;
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level != science::MetricLevel::kUnit) continue;
    const int n = static_cast<int>(completion.header.unit_count());
    int nulls = n;
    std::optional<double> min, max;
    double sum = 0;
    std::vector<int> bins(metric.binned ? science::kScoreBins : 0);
    if (const auto found = completion.units.find(std::string(metric.name));
        found != completion.units.end()) {
      for (const double value : found->second) {
        if (std::isnan(value)) continue;
        --nulls;
        min = std::min(min.value_or(value), value);
        max = std::max(max.value_or(value), value);
        sum += value;
        if (metric.binned) ++bins[science::ScoreBin(value)];
      }
    }
    rows.push_back({completion.header.ref().run_id(), std::string(metric.name), n, nulls, min, max,
                    sum,
                    metric.binned ? Array(Params(bins.begin(), bins.end())) : Param(std::nullopt)});
  }
  t.Copy("unit_rollups", {"run_id", "metric", "n", "nulls", "min", "max", "sum", "bins"},
         rows.size(), [&](size_t i) { return rows[i]; });
}

void CopyCurve(Transaction& t, const v1::CompleteRunRequest::Header& header) {
  t.Exec(kForgetCurve, {header.ref().run_id()});
  t.Copy("learning_curves", {"run_id", "step", "loss", "error_cm", "fraction_above"},
         header.learning_curve_size(), [&](size_t i) -> Params {
           const v1::CurvePoint& p = header.learning_curve(static_cast<int>(i));
           return {header.ref().run_id(), p.step(),
                   p.has_loss() ? OrNull(p.loss()) : Param(std::nullopt),
                   p.has_error_cm() ? OrNull(p.error_cm()) : Param(std::nullopt),
                   p.fraction_above().empty()
                       ? Param(std::nullopt)
                       : Array(Params(p.fraction_above().begin(), p.fraction_above().end()))};
         });
}

absl::Status CheckCurve(const v1::CompleteRunRequest::Header& header) {
  if (header.learning_curve_size() > kMaxCurvePoints) {
    return InvalidField("header.learning_curve", StrCat("has ", header.learning_curve_size(),
                                                        " points; at most ", kMaxCurvePoints));
  }
  for (int i = 0; i < header.learning_curve_size(); ++i) {
    const std::string path = StrCat("header.learning_curve[", i, "]");
    RETURN_IF_ERROR(CheckPoint(path, header.learning_curve(i)));
    if (i > 0 && header.learning_curve(i).step() <= header.learning_curve(i - 1).step()) {
      return InvalidField(path + ".step", "steps must grow from point to point");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const v1::CompleteRunRequest::Header& header) {
  RETURN_IF_ERROR(CheckRef("header.ref", header.ref()));
  const bool succeeded = header.outcome() == v1::OUTCOME_SUCCEEDED;
  if (!succeeded && header.outcome() != v1::OUTCOME_DIVERGED) {
    return InvalidField("header.outcome", "must be OUTCOME_SUCCEEDED or OUTCOME_DIVERGED");
  }
  for (const auto& [name, value] : header.run_metrics()) {
    const science::Metric* metric = science::FindMetric(name);
    if (metric == nullptr || metric->level != science::MetricLevel::kRun) {
      return InvalidField(StrCat("header.run_metrics[\"", name, "\"]"),
                          "is not a run-level metric of the registry");
    }
  }
  if (succeeded && header.artifacts().empty()) {
    return InvalidField("header.artifacts", "a run that succeeded needs its artifact");
  }
  if (header.artifacts_size() > 1) {
    return InvalidField("header.artifacts", "at most one artifact a run");
  }
  for (const v1::ArtifactRef& artifact : header.artifacts()) {
    RETURN_IF_ERROR(CheckSha256("header.artifacts[0].sha256", artifact.sha256()));
  }
  if (!succeeded && header.unit_count() != 0) {
    return InvalidField("header.unit_count", "must be 0 for a run that diverged");
  }
  if (header.compute().seconds() < 0 || header.compute().nanos() < 0) {
    return InvalidField("header.compute", "must not be negative");
  }
  RETURN_IF_ERROR(CheckText("header.numerics_id", header.numerics_id()));
  RETURN_IF_ERROR(CheckText("header.log_tail", header.log_tail()));
  RETURN_IF_ERROR(CheckSize("header.science_version", header.science_version(), 32));
  return CheckCurve(header);
}

// `total`: of the run.
absl::Status CheckSteps(const v1::CompleteRunRequest::Header& header, uint64_t total) {
  const bool succeeded = header.outcome() == v1::OUTCOME_SUCCEEDED;
  if (succeeded ? header.steps() != total : header.steps() > total) {
    return InvalidField("header.steps", StrCat(header.steps(), ": the run has ", total, " steps"));
  }
  const int points = header.learning_curve_size();
  if (points > 0 && header.learning_curve(points - 1).step() > total) {
    return InvalidField(
        StrCat("header.learning_curve[", points - 1, "].step"),
        StrCat(header.learning_curve(points - 1).step(), ": the run has ", total, " steps"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLease(Database& database, const LeaseKey& key) {
  return database.Transact([&](Transaction& t) {
    return t.Exec(kReadLease, {key.run_id, Uuid(key.token)}).empty() ? LeaseLost(key.run_id)
                                                                     : absl::OkStatus();
  });
}

absl::Status RecordArtifact(Database& database, const LeaseKey& key, const std::string& sha256,
                            uint64_t size, const std::string& kind) {
  return database.Transact(
      [&](Transaction& t) { return RecordArtifact(t, key, sha256, size, kind); });
}

absl::Status RecordArtifact(Transaction& t, const LeaseKey& key, const std::string& sha256,
                            uint64_t size, const std::string& kind) {
  if (t.Exec(kLockLease, {key.run_id, Uuid(key.token)}).empty()) return LeaseLost(key.run_id);
  t.Exec(kInsertArtifact, {Bytea(sha256), size, kind});
  t.Exec(kKeepArtifact, {Bytea(sha256)});
  return absl::OkStatus();
}

size_t CompletionBytes(const std::vector<v1::CompleteRunRequest>& messages) {
  if (messages.empty()) return 0;
  std::set<std::string_view> columns;
  size_t units = 0;
  for (const v1::CompleteRunRequest& message : messages) {
    size_t most = 0;
    for (const v1::MetricColumn& column : message.units().columns()) {
      columns.insert(column.metric());
      most = std::max(most, static_cast<size_t>(column.value_size()));
    }
    units += most;
  }
  // Each value may be in a column that doubles as it grows.
  return columns.size() * units * 2 * sizeof(double);
}

absl::StatusOr<Completion> AssembleCompletion(const std::vector<v1::CompleteRunRequest>& messages) {
  if (messages.empty() || !messages[0].has_header()) {
    return InvalidField("header", "must be the first message of the stream");
  }
  Completion completion;
  completion.header = messages[0].header();
  RETURN_IF_ERROR(CheckHeader(completion.header));
  const uint32_t unit_count = completion.header.unit_count();
  uint32_t next = 0;
  for (size_t m = 1; m < messages.size(); ++m) {
    if (!messages[m].has_units()) {
      return InvalidField("units", "only unit blocks may follow the header");
    }
    const v1::UnitBlock& block = messages[m].units();
    const std::string path = StrCat("units[", m - 1, "]");
    if (block.first_unit() != next) {
      return InvalidField(path + ".first_unit",
                          StrCat(block.first_unit(), ": the next unit is ", next));
    }
    if (block.columns().empty()) return InvalidField(path + ".columns", "must not be empty");
    const auto n = static_cast<uint32_t>(block.columns(0).value_size());
    if (n == 0 || n > 4096 || n > unit_count - next) {
      return InvalidField(path, StrCat("has ", n, " units; 1 to 4096 a block, ", unit_count - next,
                                       " are to come"));
    }
    for (const v1::MetricColumn& column : block.columns()) {
      const science::Metric* metric = science::FindMetric(column.metric());
      const std::string column_path = StrCat(path, ".columns[\"", column.metric(), "\"]");
      if (metric == nullptr || metric->level != science::MetricLevel::kUnit) {
        return InvalidField(column_path, "is not a unit-level metric of the registry");
      }
      if (static_cast<uint32_t>(column.value_size()) != n) {
        return InvalidField(
            column_path, StrCat("has ", column.value_size(), " values; the first column has ", n));
      }
      auto& values = completion.units[std::string(metric->name)];
      if (values.size() > next) return InvalidField(column_path, "is given twice in this block");
      values.resize(next, std::nan(""));  // absent from earlier blocks
      for (const double value : column.value()) {
        if (std::isinf(value))
          return InvalidField(column_path, "is infinite; use NaN for no value");
        values.push_back(value);
      }
    }
    next += n;
  }
  if (next != unit_count) {
    return InvalidField("units", StrCat("ended after ", next, " of ", unit_count, " units"));
  }
  for (auto& [name, values] : completion.units) values.resize(unit_count, std::nan(""));
  return completion;
}

absl::StatusOr<bool> CompleteRun(Database& database, const Completion& completion) {
  const auto& header = completion.header;
  const LeaseKey key{header.ref().run_id(), header.ref().token()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<bool> {
    const pqxx::result lease = t.Exec(kLockRun, {key.run_id, Uuid(key.token)});
    if (lease.empty()) {
      if (t.Exec(kRecorded, {key.run_id, Uuid(key.token)}).empty()) return LeaseLost(key.run_id);
      return true;
    }
    const bool succeeded = header.outcome() == v1::OUTCOME_SUCCEEDED;
    const auto ng = lease[0][1].as<uint32_t>();
    if (succeeded && header.unit_count() != ng) {
      return InvalidField("header.unit_count",
                          StrCat(header.unit_count(), ": the network has ", ng, " units"));
    }
    RETURN_IF_ERROR(CheckSteps(header, lease[0][2].as<uint64_t>()));
    for (const v1::ArtifactRef& artifact : header.artifacts()) {
      if (t.Exec(kTakeArtifact, {Bytea(artifact.sha256()), Uuid(key.token)}).empty()) {
        return WithReason(
            absl::FailedPreconditionError(StrCat("header.artifacts: ", ToHex(artifact.sha256()),
                                                 " was not uploaded; upload it first")),
            kArtifactUnknown);
      }
    }
    InsertResult(t, lease[0], completion);
    if (header.unit_count() > 0) {
      CopyUnits(t, completion);
      CopyRollups(t, completion);
    }
    CopyCurve(t, header);
    t.Exec(kEndLease, {key.run_id, succeeded ? "succeeded" : "diverged",
                       static_cast<int>(succeeded ? State::kSucceeded : State::kDiverged),
                       EndOfLog(header.log_tail())});
    return false;
  });
}

}  // namespace gridsweep::coordinator

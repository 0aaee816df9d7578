#include "coordinator/store/sweeps.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/fair_share.h"
#include "coordinator/store/reuse.h"
#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::coordinator {
namespace {

// Each partition of `units` holds this many runs.
constexpr int kPartitionBits = 20;

// Serializes creations, so that each sweep's run ids are contiguous. A row that nobody else may
// lock: advisory locks are open to every login of the database.
constexpr Statement kLockCreation{"lock_sweep_creation",
                                  "select from instance for no key update"};

constexpr Statement kFindRequest{
    "find_sweep_of_request",
    "select sweep_id, request_hash from sweeps where request_id = $1::bytea"};

constexpr Statement kTakeRunIds{"take_run_ids", R"(
  with before as (select case when is_called then last_value else last_value - 1 end as v
                  from run_id_seq)
  select v + 1, setval('run_id_seq', v + $1::bigint) from before)"};

constexpr Statement kInsertSweep{"insert_sweep", R"(
  insert into sweeps (name, method, request_id, request_hash, source_yaml, metadata, labels,
      sampler_seed, priority, max_attempts, max_parallel, first_run_id, run_count,
      checkpoint_interval, reuse, resource_class, memory_bytes, notify_url, submitted_by,
      one_shape)
  values ($1, $2, $3::bytea, $4::bytea, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11, $12, $13,
          $14::float8 * interval '1 second', $15, $16, $17, $18, $19, $20)
  returning sweep_id)"};

constexpr Statement kQueueRuns{"queue_runs_of_sweep", R"(
  insert into run_state (run_id, sweep_id, class, queue_pos)
  select run_id, sweep_id, $2::smallint, nextval('queue_pos_seq')
  from (select run_id, sweep_id from runs where sweep_id = $1 order by ordinal) r)"};

constexpr char kSelectSweep[] = R"(
  select s.sweep_id, s.name, (extract(epoch from s.created_at) * 1000000)::bigint, s.method,
         s.priority, s.max_attempts, s.max_parallel, s.labels::text, s.sampler_seed,
         s.first_run_id, c.counts[1], c.counts[2], c.counts[3], c.counts[4], c.counts[5],
         c.counts[6], c.counts[7], c.counts[8],
         (extract(epoch from s.paused_at) * 1000000)::bigint,
         (extract(epoch from s.stopped_at) * 1000000)::bigint,
         (extract(epoch from s.cancelled_at) * 1000000)::bigint,
         extract(epoch from s.checkpoint_interval), s.reuse, s.resource_class, s.memory_bytes,
         s.notify_url, s.submitted_by,
         (select count(*) from run_results p
          where p.sweep_id = s.sweep_id and p.reused_from is not null), )";
constexpr char kFromSweep[] = R"( from sweeps s cross join lateral (
    select array[count(*) filter (where state = 0), count(*) filter (where state = 1),
                 count(*) filter (where state = 2), count(*) filter (where state = 3),
                 count(*) filter (where state = 4), count(*) filter (where state = 5),
                 count(*) filter (where state = 6), count(*) filter (where state = 7)] as counts
    from run_state r where r.sweep_id = s.sweep_id) c )";

// Ids that callers give are compared as bigint: one that no sweep can have is
// one that none has.
constexpr Statement kCounts{"count_runs_of_sweep", R"(
  select (select count(*) from sweeps where sweep_id = $1::bigint and deleted_at is null),
         (extract(epoch from clock_timestamp()) * 1000000)::bigint,
         count(*) filter (where state = 0), count(*) filter (where state = 1),
         count(*) filter (where state = 2), count(*) filter (where state = 3),
         count(*) filter (where state = 4), count(*) filter (where state = 5),
         count(*) filter (where state = 6), count(*) filter (where state = 7)
  from run_state where sweep_id = $1::bigint)"};
constexpr Statement kRunning{"list_leased_runs_of_sweep", R"(
  select l.run_id, r.readout, r.seed, r.total_steps, w.name
  from leases l join runs r using (run_id) join workers w using (worker_id)
  where l.sweep_id = $1::bigint order by l.run_id limit 8000)"};
constexpr Statement kEnded{"list_ended_runs_of_sweep", R"(
  select s.run_id, r.readout, r.seed, r.total_steps, s.state, p.steps, p.loss, p.pos_err_published,
         (extract(epoch from s.changed_at) * 1000000)::bigint
  from run_state s join runs r using (run_id) left join run_results p using (run_id)
  where s.sweep_id = $1::bigint and s.state >= 4
    and (s.changed_at, s.run_id) > (to_timestamp($2::bigint / 1000000.0), $3::bigint)
  order by s.changed_at, s.run_id limit $4)"};

int64_t Int(const pqxx::field& field) { return field.as<int64_t>(); }

void ReadCounts(const pqxx::row& row, int first, v1::RunCounts* counts) {
  counts->set_pending(Int(row[first]));
  counts->set_backoff(Int(row[first + 1]));
  counts->set_paused(Int(row[first + 2]));
  counts->set_leased(Int(row[first + 3]));
  counts->set_succeeded(Int(row[first + 4]));
  counts->set_diverged(Int(row[first + 5]));
  counts->set_failed(Int(row[first + 6]));
  counts->set_cancelled(Int(row[first + 7]));
  int64_t total = 0;
  for (int i = 0; i < 8; ++i) total += Int(row[first + i]);
  counts->set_total(total);
}

v1::RunProgress ReadProgress(const pqxx::row& row) {
  v1::RunProgress run;
  run.set_run_id(Int(row[0]));
  run.set_readout(row[1].c_str());
  run.set_seed(Int(row[2]));
  run.set_total_steps(row[3].as<uint64_t>());
  return run;
}

v1::Sweep ReadSweep(const pqxx::row& row) {
  v1::Sweep sweep;
  sweep.set_sweep_id(Int(row[0]));
  sweep.set_name(row[1].c_str());
  *sweep.mutable_created_at() = FromMicros(row[2]);
  sweep.set_method(row[3].c_str());
  auto* settings = sweep.mutable_settings();
  settings->set_priority(row[4].as<int>());
  settings->set_max_attempts(row[5].as<unsigned>());
  settings->set_max_parallel(row[6].as<unsigned>());
  const auto labels = nlohmann::json::parse(row[7].c_str());
  for (const auto& [key, value] : labels.items()) {
    (*settings->mutable_labels())[key] = value.get<std::string>();
  }
  if (!row[8].is_null()) sweep.set_sampler_seed(Int(row[8]));
  sweep.set_first_run_id(Int(row[9]));
  ReadCounts(row, 10, sweep.mutable_counts());
  if (!row[18].is_null()) *sweep.mutable_paused_at() = FromMicros(row[18]);
  if (!row[19].is_null()) *sweep.mutable_stopped_at() = FromMicros(row[19]);
  if (!row[20].is_null()) *sweep.mutable_cancelled_at() = FromMicros(row[20]);
  if (!row[21].is_null()) {
    *settings->mutable_checkpoint_interval() =
        google::protobuf::util::TimeUtil::MillisecondsToDuration(
            std::llround(row[21].as<double>() * 1000));
  }
  settings->set_reuse(row[22].as<bool>());
  settings->mutable_resources()->set_resource_class(row[23].c_str());
  settings->mutable_resources()->set_memory_bytes(row[24].as<uint64_t>());
  settings->set_notify_url(row[25].c_str());
  sweep.set_submitted_by(row[26].c_str());
  sweep.mutable_counts()->set_reused(Int(row[27]));
  sweep.set_source_yaml(row[28].c_str());
  return sweep;
}

ResourceClass ClassOf(const v1::Resources& resources) {
  return resources.resource_class() == "cpu"   ? kCpuClass
         : resources.resource_class() == "gpu" ? kGpuClass
                                               : kAnyClass;
}

bool OneShape(const std::vector<science::RunConfig>& runs) {
  const std::string first = sweepspec::ShapeKey(runs[0]);
  return std::all_of(runs.begin(), runs.end(), [&](const science::RunConfig& run) {
    return sweepspec::ShapeKey(run) == first;
  });
}

std::string SelectSweep(const char* rest, bool with_source) {
  return StrCat(kSelectSweep, with_source ? "s.source_yaml" : "''", kFromSweep, rest);
}

absl::StatusOr<v1::Sweep> FindSweep(Transaction& t, int64_t sweep_id) {
  static const std::string sql =
      SelectSweep("where s.sweep_id = $1::bigint and s.deleted_at is null", true);
  static const Statement kFind{"get_sweep", sql.c_str()};
  const pqxx::result rows = t.Exec(kFind, {sweep_id});
  if (rows.empty()) return absl::NotFoundError(StrCat("there is no sweep ", sweep_id));
  return ReadSweep(rows[0]);
}

void CreatePartitions(Transaction& t, int64_t first_run, int64_t last_run) {
  for (int64_t k = first_run >> kPartitionBits; k <= last_run >> kPartitionBits; ++k) {
    if (!t.ExecText(StrCat("select to_regclass('units_", k, "')"))[0][0].is_null()) continue;
    // Attaching does not stop completions of other sweeps; creating "partition of" would.
    t.ExecText(StrCat("create table units_", k, " (like units including all); ",
                      "alter table units attach partition units_", k, " for values from (",
                      k << kPartitionBits, ") to (", (k + 1) << kPartitionBits, ")"));
  }
}

void CopyRuns(Transaction& t, int64_t sweep_id, int64_t first_run,
              const std::vector<science::RunConfig>& runs) {
  static const std::vector<std::string> kColumns = {"run_id",
                                                    "sweep_id",
                                                    "ordinal",
                                                    "config_hash",
                                                    "shape_key",
                                                    "config",
                                                    "readout",
                                                    "readout_family",
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
                                                    "total_steps"};
  const auto text = [](std::string_view parameter, const science::RunConfig& config) {
    return std::get<std::string>(science::FindParameter(parameter)->get(config));
  };
  t.Copy("runs", kColumns, runs.size(), [&](size_t i) -> Params {
    const science::RunConfig& c = runs[i];
    const std::string json = sweepspec::CanonicalJson(c);  // its SHA-256 is the config hash
    return {first_run + static_cast<int64_t>(i),
            sweep_id,
            static_cast<int64_t>(i),
            Bytea(Sha256::Of(json)),
            Bytea(sweepspec::ShapeKey(c)),
            json,
            science::ReadoutLabel(c),
            science::ReadoutFamily(c),
            text("rnn_type", c),
            text("activation", c),
            c.Ng,
            c.Np,
            science::DrawText(c.place_cell_rf),
            c.place_cell_rf.Low(),
            c.place_cell_rf.High(),
            science::DrawText(c.surround_scale),
            c.surround_scale.Low(),
            c.surround_scale.High(),
            c.seed,
            c.TotalSteps()};
  });
}

// In a transaction that holds kLockCreation.
absl::StatusOr<CreatedSweep> Store(Transaction& t, const NewSweep& request) {
  const sweepspec::ExpandedSweep& sweep = *request.sweep;
  if (!request.request_id.empty()) {
    const pqxx::result found = t.Exec(kFindRequest, {Bytea(request.request_id)});
    if (!found.empty()) {
      if (FromBytea(found[0][1]) != request.request_hash) {
        return absl::AlreadyExistsError(StrCat("request_id: another sweep (", found[0][0].c_str(),
                                               ") was created with this id; use a new one"));
      }
      ASSIGN_OR_RETURN(v1::Sweep existing, FindSweep(t, Int(found[0][0])));
      return CreatedSweep{std::move(existing), true};
    }
  }
  const auto count = static_cast<int64_t>(sweep.runs.size());
  RETURN_IF_ERROR(CheckQuota(t, request.quota, request.submitted_by, count,
                             static_cast<int64_t>(request.source_yaml.size())));
  const int64_t first_run = Int(t.Exec(kTakeRunIds, {count})[0][0]);
  CreatePartitions(t, first_run, first_run + count - 1);
  const auto& settings = sweep.settings;
  nlohmann::json labels = nlohmann::json::object();
  for (const auto& [key, value] : settings.labels()) labels[key] = value;
  const int64_t sweep_id = Int(t.Exec(
      kInsertSweep,
      {request.name,
       sweep.method,
       request.request_id.empty() ? Param(std::nullopt) : Bytea(request.request_id),
       Bytea(request.request_hash),
       request.source_yaml,
       sweep.metadata_json,
       labels.dump(),
       sweep.sampler_seed,
       settings.priority(),
       settings.has_max_attempts() ? settings.max_attempts() : 3u,
       settings.max_parallel(),
       first_run,
       count,
       settings.has_checkpoint_interval()
           ? Param(google::protobuf::util::TimeUtil::DurationToMilliseconds(
                       settings.checkpoint_interval()) /
                   1000.0)
           : Param(std::nullopt),
       settings.reuse(),
       settings.resources().resource_class().empty() ? "any"
                                                     : settings.resources().resource_class(),
       settings.resources().memory_bytes(),
       settings.notify_url(),
       request.submitted_by,
       OneShape(sweep.runs)})[0][0]);
  CopyRuns(t, sweep_id, first_run, sweep.runs);
  t.Exec(kQueueRuns, {sweep_id, static_cast<int>(ClassOf(settings.resources()))});
  const int64_t reusable =
      settings.reuse() ? SetReusableRunsAside(t, sweep_id, science::kScienceVersion) : 0;
  ASSIGN_OR_RETURN(v1::Sweep created, FindSweep(t, sweep_id));
  return CreatedSweep{std::move(created), false, reusable};
}

}  // namespace

absl::StatusOr<CreatedSweep> CreateSweep(Database& database, const NewSweep& request) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<CreatedSweep> {
    t.Exec(kLockCreation);
    try {
      return Store(t, request);
    } catch (const pqxx::unique_violation& e) {
      // A coordinator of 0.1.0, whose creations take another lock, was at it: once more.
      throw pqxx::transaction_rollback(e.what());
    }
  });
}

absl::StatusOr<v1::Sweep> GetSweep(Database& database, int64_t sweep_id) {
  return database.Transact([&](Transaction& t) { return FindSweep(t, sweep_id); });
}

absl::StatusOr<v1::Sweep> GetSweepByName(Database& database, const std::string& name) {
  static const std::string sql = SelectSweep(
      "where s.name = $1 and s.deleted_at is null order by s.sweep_id desc limit 1", true);
  static const Statement kFind{"get_sweep_by_name", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<v1::Sweep> {
    const pqxx::result rows = t.Exec(kFind, {name});
    if (rows.empty()) return absl::NotFoundError(StrCat("there is no sweep named \"", name, "\""));
    return ReadSweep(rows[0]);
  });
}

absl::StatusOr<std::vector<v1::Sweep>> ListSweeps(Database& database, int64_t before, int limit) {
  static const std::string sql = SelectSweep(
      "where ($1::bigint = 0 or s.sweep_id < $1) and s.deleted_at is null"
      " order by s.sweep_id desc limit $2",
      false);
  static const Statement kList{"list_sweeps", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<v1::Sweep>> {
    std::vector<v1::Sweep> sweeps;
    for (const auto& row : t.Exec(kList, {before, limit})) sweeps.push_back(ReadSweep(row));
    return sweeps;
  });
}

absl::StatusOr<SweepSnapshot> ReadSnapshot(Database& database, int64_t sweep_id) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<SweepSnapshot> {
    SweepSnapshot snapshot;
    const pqxx::result counts = t.Exec(kCounts, {sweep_id});
    if (Int(counts[0][0]) == 0) return absl::NotFoundError(StrCat("there is no sweep ", sweep_id));
    snapshot.now_micros = Int(counts[0][1]);
    ReadCounts(counts[0], 2, &snapshot.counts);
    for (const auto& row : t.Exec(kRunning, {sweep_id})) {
      v1::RunProgress run = ReadProgress(row);
      run.set_state(v1::RUN_STATE_LEASED);
      run.set_worker(row[4].c_str());
      snapshot.running.push_back(std::move(run));
    }
    return snapshot;
  });
}

absl::StatusOr<std::vector<v1::RunProgress>> ReadEnded(Database& database, int64_t sweep_id,
                                                       EndPlace& place, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<v1::RunProgress>> {
    std::vector<v1::RunProgress> ended;
    EndPlace last = place;
    for (const auto& row : t.Exec(kEnded, {sweep_id, place.micros, place.run_id, limit})) {
      v1::RunProgress run = ReadProgress(row);
      run.set_state(ToProto(static_cast<State>(row[4].as<int>())));
      if (!row[5].is_null()) run.set_step(row[5].as<uint64_t>());
      if (!row[6].is_null()) run.set_loss(row[6].as<double>());
      if (!row[7].is_null()) run.set_error_cm(row[7].as<double>());
      last = {Int(row[8]), run.run_id()};
      ended.push_back(std::move(run));
    }
    place = last;
    return ended;
  });
}

}  // namespace gridsweep::coordinator

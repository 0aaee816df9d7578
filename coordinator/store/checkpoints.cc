#include "coordinator/store/checkpoints.h"

#include "common/status.h"
#include "coordinator/store/results.h"
#include "coordinator/store/sweeps.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kRecord{"record_checkpoint", R"(
  insert into checkpoints (run_id, step, sha256, size, numerics_id, science_version)
  values ($1, $2, $3::bytea, $4, $5, $6)
  on conflict (run_id) do update set step = excluded.step, sha256 = excluded.sha256,
    size = excluded.size, numerics_id = excluded.numerics_id,
    science_version = excluded.science_version, saved_at = clock_timestamp()
  where checkpoints.step <= excluded.step)"};
constexpr Statement kFind{"find_checkpoint_of_lease", R"(
  select c.sha256 = $3::bytea from leases l left join checkpoints c using (run_id)
  where l.run_id = $1 and l.token = $2::uuid)"};
constexpr Statement kDropEnded{"drop_checkpoints_of_ended_runs", R"(
  delete from checkpoints c using run_state r
  where r.run_id = c.run_id and r.state in (4, 5, 6, 7))"};
constexpr Statement kDropFiles{"drop_unnamed_checkpoint_files", R"(
  with gone as (
    delete from artifacts a
    where a.kind = 'checkpoint'
      and a.touched_at < clock_timestamp() - $1::float8 * interval '1 second'
      and not exists (select from checkpoints c where c.sha256 = a.sha256)
    returning a.sha256),
  g as (insert into artifact_garbage select sha256 from gone on conflict do nothing)
  select count(*) from gone)"};

}  // namespace

absl::Status RecordCheckpoint(Database& database, const LeaseKey& key,
                              const v1::CheckpointRef& checkpoint) {
  return database.Transact([&](Transaction& t) {
    RETURN_IF_ERROR(RecordArtifact(t, key, checkpoint.sha256(), checkpoint.size(), "checkpoint"));
    t.Exec(kRecord, {key.run_id, checkpoint.step(), Bytea(checkpoint.sha256()), checkpoint.size(),
                     checkpoint.numerics_id(), checkpoint.science_version()});
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> HasCheckpoint(Database& database, const LeaseKey& key,
                                   const std::string& sha256) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<bool> {
    const pqxx::result found = t.Exec(kFind, {key.run_id, Uuid(key.token), Bytea(sha256)});
    if (found.empty()) return LeaseLost(key.run_id);
    return !found[0][0].is_null() && found[0][0].as<bool>();
  });
}

absl::StatusOr<int64_t> DropCheckpoints(Database& database, absl::Duration grace) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int64_t> {
    t.Exec(kDropEnded);
    return t.Exec(kDropFiles, {absl::ToDoubleSeconds(grace)})[0][0].as<int64_t>();
  });
}

}  // namespace gridsweep::coordinator

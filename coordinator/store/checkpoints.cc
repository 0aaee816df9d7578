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
  where checkpoints.step <= excluded.step
  returning 1)"};
// The checkpoint names it now.
constexpr Statement kUploaded{"end_upload_of_checkpoint", R"(
  delete from artifact_uploads
  where token = $1::uuid and kind = 'checkpoint' and sha256 = $2::bytea)"};
constexpr Statement kFind{"find_checkpoint_of_lease", R"(
  select c.sha256 = $3::bytea from leases l left join checkpoints c using (run_id)
  where l.run_id = $1 and l.token = $2::uuid)"};
constexpr Statement kDropEnded{"drop_checkpoints_of_ended_runs", R"(
  with ended as (
    select c.run_id from checkpoints c join run_state r using (run_id)
    where r.state in (4, 5, 6, 7) limit $1 for update of c skip locked),
  gone as (delete from checkpoints c using ended e where c.run_id = e.run_id returning 1)
  select count(*) from gone)"};

}  // namespace

absl::Status RecordCheckpoint(Database& database, const LeaseKey& key,
                              const v1::CheckpointRef& checkpoint) {
  return database.Transact([&](Transaction& t) {
    RETURN_IF_ERROR(RecordArtifact(t, key, checkpoint.sha256(), checkpoint.size(), "checkpoint"));
    const pqxx::result recorded = t.Exec(
        kRecord, {key.run_id, checkpoint.step(), Bytea(checkpoint.sha256()), checkpoint.size(),
                  checkpoint.numerics_id(), checkpoint.science_version()});
    if (!recorded.empty()) t.Exec(kUploaded, {Uuid(key.token), Bytea(checkpoint.sha256())});
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

absl::StatusOr<int> DropCheckpoints(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    return t.Exec(kDropEnded, {limit})[0][0].as<int>();
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/artifact_uploads.h"

#include "common/status.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kLockLease{
    "lock_lease_to_upload",
    "select 1 from leases where run_id = $1 and token = $2::uuid for update"};
constexpr Statement kSupersede{"supersede_upload", R"(
  with before as (
    delete from artifact_uploads where token = $1::uuid and kind = $2 and sha256 <> $3::bytea
    returning sha256)
  insert into artifact_garbage select sha256 from before
  on conflict (sha256) do update set since = excluded.since)"};
constexpr Statement kAnnounce{"announce_upload", R"(
  insert into artifact_uploads (token, kind, sha256, run_id) values ($1::uuid, $2, $3::bytea, $4)
  on conflict (token, kind) do update set announced_at = excluded.announced_at)"};
// Waits for who is about to unlink the file, or to forget its row.
constexpr Statement kKeep{"keep_file_of_upload",
                          "delete from artifact_garbage where sha256 = $1::bytea"};
constexpr Statement kTouch{
    "touch_artifact_of_upload",
    "update artifacts set touched_at = clock_timestamp() where sha256 = $1::bytea returning 1"};

constexpr Statement kAbandonThese{"abandon_artifacts", R"(
  insert into artifact_garbage select distinct unnest($1::bytea[])
  on conflict (sha256) do update set since = excluded.since)"};
constexpr Statement kAbandon{"abandon_uploads", R"(
  with old as (
    select u.token, u.kind from artifact_uploads u
    where u.announced_at < clock_timestamp() - $1::float8 * interval '1 second'
      and not exists (select from leases l where l.run_id = u.run_id and l.token = u.token)
    limit $2 for update of u skip locked),
  gone as (
    delete from artifact_uploads u using old where u.token = old.token and u.kind = old.kind
    returning u.sha256),
  g as (
    insert into artifact_garbage select distinct sha256 from gone
    on conflict (sha256) do update set since = excluded.since)
  select count(*) from gone)"};

}  // namespace

absl::StatusOr<bool> AnnounceArtifact(Database& database, const LeaseKey& key,
                                      const std::string& sha256, const std::string& kind) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<bool> {
    if (t.Exec(kLockLease, {key.run_id, Uuid(key.token)}).empty()) return LeaseLost(key.run_id);
    t.Exec(kSupersede, {Uuid(key.token), kind, Bytea(sha256)});
    t.Exec(kAnnounce, {Uuid(key.token), kind, Bytea(sha256), key.run_id});
    t.Exec(kKeep, {Bytea(sha256)});
    return !t.Exec(kTouch, {Bytea(sha256)}).empty();
  });
}

absl::Status AbandonArtifacts(Database& database, const std::vector<std::string>& sha256s) {
  Params hashes;
  for (const std::string& sha256 : sha256s) hashes.push_back(Bytea(sha256));
  return database.Transact([&](Transaction& t) {
    t.Exec(kAbandonThese, {Array(hashes)});
    return absl::OkStatus();
  });
}

absl::StatusOr<int> AbandonUploads(Database& database, absl::Duration grace, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    return t.Exec(kAbandon, {absl::ToDoubleSeconds(grace), limit})[0][0].as<int>();
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/artifact_garbage.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kLockReleased{"lock_released_artifacts", R"(
  select g.sha256 from artifact_garbage g
  where exists (select from artifacts a where a.sha256 = g.sha256)
  order by g.since limit $1 for update of g skip locked)"};
// Waits for results that are being stored; the statements after it see them.
constexpr Statement kLockRows{
    "lock_artifact_rows",
    "select 1 from artifacts where sha256 = any($1::bytea[]) order by sha256 for update"};
constexpr Statement kDeleteUnnamed{"delete_unnamed_artifacts", R"(
  delete from artifacts a where a.sha256 = any($1::bytea[])
    and not exists (select from run_results p where p.artifact = a.sha256)
    and not exists (select from checkpoints c where c.sha256 = a.sha256)
    and not exists (select from artifact_uploads u where u.sha256 = a.sha256))"};
constexpr Statement kKeepNamed{"keep_named_artifacts", R"(
  delete from artifact_garbage g where g.sha256 = any($1::bytea[])
    and exists (select from artifacts a where a.sha256 = g.sha256))"};

constexpr Statement kLockForgotten{"lock_forgotten_artifacts", R"(
  select g.sha256 from artifact_garbage g
  where not exists (select from artifacts a where a.sha256 = g.sha256)
  order by g.since limit $1 for update of g skip locked)"};
constexpr Statement kForget{"forget_unlinked_artifacts",
                            "delete from artifact_garbage where sha256 = any($1::bytea[])"};
constexpr Statement kPutBehind{"put_garbage_behind", R"(
  update artifact_garbage set since = clock_timestamp() where sha256 = any($1::bytea[]))"};

}  // namespace

absl::StatusOr<int> ForgetArtifacts(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    Params hashes;
    for (const auto& row : t.Exec(kLockReleased, {limit})) {
      hashes.push_back(Bytea(FromBytea(row[0])));
    }
    if (hashes.empty()) return 0;
    for (const Statement& statement : {kLockRows, kDeleteUnnamed, kKeepNamed}) {
      t.Exec(statement, {Array(hashes)});
    }
    return static_cast<int>(hashes.size());
  });
}

absl::StatusOr<int> UnlinkForgotten(
    Database& database, int limit,
    const std::function<absl::Status(const std::string& sha256)>& unlink) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    Params gone, kept;
    for (const auto& row : t.Exec(kLockForgotten, {limit})) {
      const std::string sha256 = FromBytea(row[0]);
      (unlink(sha256).ok() ? gone : kept).push_back(Bytea(sha256));
    }
    if (!gone.empty()) t.Exec(kForget, {Array(gone)});
    if (!kept.empty()) t.Exec(kPutBehind, {Array(kept)});
    return static_cast<int>(gone.size());
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/artifact_rows.h"

namespace gridsweep::coordinator {
namespace {

// The end of the range is null after the last byte.
constexpr Statement kRows{"list_artifact_rows", R"(
  select a.sha256, a.size,
         coalesce((select min(p.run_id) from run_results p where p.artifact = a.sha256), 0),
         coalesce((select min(c.run_id) from checkpoints c where c.sha256 = a.sha256), 0)
  from artifacts a where a.sha256 >= $1::bytea and ($2::bytea is null or a.sha256 < $2::bytea))"};
constexpr Statement kPending{"list_pending_artifacts", R"(
  select sha256 from artifact_uploads
  where sha256 >= $1::bytea and ($2::bytea is null or sha256 < $2::bytea)
  union select sha256 from artifact_garbage
  where sha256 >= $1::bytea and ($2::bytea is null or sha256 < $2::bytea))"};
constexpr Statement kDrop{"drop_checkpoints_of_file",
                          "delete from checkpoints where sha256 = $1::bytea"};

Param OneByte(int byte) { return Bytea(std::string(1, static_cast<char>(byte))); }

}  // namespace

absl::StatusOr<ArtifactRows> ReadArtifactRows(Database& database, uint8_t first) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<ArtifactRows> {
    const Params range = {OneByte(first),
                          first == UINT8_MAX ? Param(std::nullopt) : OneByte(first + 1)};
    ArtifactRows found;
    for (const auto& row : t.Exec(kRows, range)) {
      found.rows[FromBytea(row[0])] = {row[1].as<uint64_t>(), row[2].as<int64_t>(),
                                       row[3].as<int64_t>()};
    }
    // After the rows: what has lost its row by then is pending.
    for (const auto& row : t.Exec(kPending, range)) {
      const std::string sha256 = FromBytea(row[0]);
      found.pending.insert(sha256);
      if (const auto at = found.rows.find(sha256); at != found.rows.end())
        at->second.pending = true;
    }
    return found;
  });
}

absl::Status DropCheckpointsOf(Database& database, const std::string& sha256) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kDrop, {Bytea(sha256)});
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

#include "analysis/queries/live_tokens.h"

#include "common/status.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<LiveToken>> ReadLiveTokens(Database& database) {
  std::vector<LiveToken> tokens;
  RETURN_IF_ERROR(database.Read(0, [&](Snapshot& snapshot) {
    tokens.clear();
    const auto rows = snapshot.Exec(R"(
      select name, role, sha256, extract(epoch from expires_at - clock_timestamp())::float8
      from tokens
      where revoked_at is null and (expires_at is null or expires_at > clock_timestamp()))");
    for (const auto& row : rows) {
      LiveToken token{row[0].c_str(), static_cast<v1::Role>(AsInt(row[1])), AsBytes(row[2])};
      if (!row[3].is_null()) token.valid_for = absl::Seconds(AsDouble(row[3]));
      tokens.push_back(std::move(token));
    }
    return absl::OkStatus();
  }));
  return tokens;
}

}  // namespace gridsweep::analysis

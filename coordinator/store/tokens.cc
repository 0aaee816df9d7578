#include "coordinator/store/tokens.h"

#include <algorithm>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

// A prefix that those who search texts for leaked secrets can know it by.
constexpr char kPrefix[] = "gridsweep_";
constexpr size_t kMaxNameBytes = 64;
constexpr absl::Duration kLongest = absl::Hours(24 * 36'500);

constexpr char kColumns[] = R"(
  name, role, (extract(epoch from created_at) * 1000000)::bigint,
  (extract(epoch from expires_at) * 1000000)::bigint,
  (extract(epoch from revoked_at) * 1000000)::bigint, created_by )";
constexpr char kLive[] =
    "revoked_at is null and (expires_at is null or expires_at > clock_timestamp())";

// Two that make a token of one name wait for each other; readers do not.
constexpr Statement kLock{"lock_tokens", "lock table tokens in share row exclusive mode"};

v1::Token ReadToken(const pqxx::row& row) {
  v1::Token token;
  token.set_name(row[0].c_str());
  token.set_role(static_cast<v1::Role>(row[1].as<int>()));
  *token.mutable_created_at() = FromMicros(row[2]);
  if (!row[3].is_null()) *token.mutable_expires_at() = FromMicros(row[3]);
  if (!row[4].is_null()) *token.mutable_revoked_at() = FromMicros(row[4]);
  token.set_created_by(row[5].c_str());
  return token;
}

absl::Status Check(const NewToken& token) {
  const bool plain = std::all_of(token.name.begin(), token.name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (token.name.empty() || token.name.size() > kMaxNameBytes || !plain) {
    return InvalidField(
        "name", StrCat("must be 1 to ", kMaxNameBytes, " of the characters A-Z a-z 0-9 . _ -"));
  }
  if (token.role == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(token.role)) {
    return InvalidField("role", "must be one of ROLE_READ, ROLE_SUBMIT, ROLE_WORK, ROLE_ADMIN");
  }
  if (token.valid_for &&
      (*token.valid_for <= absl::ZeroDuration() || *token.valid_for > kLongest)) {
    return InvalidField("valid_for",
                        StrCat(absl::FormatDuration(*token.valid_for),
                               ": must be more than 0 and at most 100 years; leave it out for a "
                               "token that never expires"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CreatedToken> CreateToken(Database& database, const NewToken& token) {
  RETURN_IF_ERROR(Check(token));
  static const std::string find =
      StrCat("select 1 from tokens where name = $1 and ", kLive, " limit 1");
  static const Statement kFind{"find_live_token", find.c_str()};
  static const std::string insert = StrCat(R"(
    insert into tokens (name, role, sha256, expires_at, created_by)
    values ($1, $2, $3::bytea, clock_timestamp() + $4::float8 * interval '1 second', $5)
    returning )",
                                           kColumns);
  static const Statement kInsert{"create_token", insert.c_str()};
  const std::string secret = kPrefix + ToHex(RandomBytes(32));
  return database.Transact([&](Transaction& t) -> absl::StatusOr<CreatedToken> {
    t.Exec(kLock);
    if (!t.Exec(kFind, {token.name}).empty()) {
      return absl::AlreadyExistsError(StrCat("there is a live token \"", token.name,
                                             "\": revoke it first, or choose another name"));
    }
    std::optional<double> seconds;
    if (token.valid_for) seconds = absl::ToDoubleSeconds(*token.valid_for);
    const auto rows = t.Exec(kInsert, {token.name, static_cast<int>(token.role),
                                       Bytea(Sha256::Of(secret)), seconds, token.created_by});
    return CreatedToken{ReadToken(rows[0]), secret};
  });
}

absl::StatusOr<std::vector<v1::Token>> ListTokens(Database& database, bool all) {
  static const std::string sql = StrCat("select ", kColumns, " from tokens where $1 or (", kLive,
                                        ") order by name, token_id desc");
  static const Statement kList{"list_tokens", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<v1::Token>> {
    std::vector<v1::Token> tokens;
    for (const auto& row : t.Exec(kList, {all})) tokens.push_back(ReadToken(row));
    return tokens;
  });
}

absl::StatusOr<v1::Token> RevokeToken(Database& database, const std::string& name) {
  static const std::string sql = StrCat(R"(
    update tokens set revoked_at = coalesce(revoked_at, clock_timestamp())
    where token_id = (select max(token_id) from tokens where name = $1) returning )",
                                        kColumns);
  static const Statement kRevoke{"revoke_token", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<v1::Token> {
    t.Exec(kLock);
    const auto rows = t.Exec(kRevoke, {name});
    if (rows.empty()) return absl::NotFoundError(StrCat("there is no token \"", name, "\""));
    return ReadToken(rows[0]);
  });
}

absl::StatusOr<std::vector<LiveToken>> LoadLiveTokens(Database& database) {
  static const std::string sql = StrCat(
      "select name, role, sha256, extract(epoch from expires_at - clock_timestamp())::float8 "
      "from tokens where ",
      kLive);
  static const Statement kLoad{"load_live_tokens", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<LiveToken>> {
    std::vector<LiveToken> tokens;
    for (const auto& row : t.Exec(kLoad)) {
      tokens.push_back(
          {row[0].c_str(), static_cast<v1::Role>(row[1].as<int>()), FromBytea(row[2])});
      if (!row[3].is_null()) tokens.back().valid_for = absl::Seconds(row[3].as<double>());
    }
    return tokens;
  });
}

}  // namespace gridsweep::coordinator

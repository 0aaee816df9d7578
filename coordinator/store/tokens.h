// Bearer tokens: made, listed, revoked. Of a secret the SHA-256 alone is stored.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "common/live_token.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

struct NewToken {
  std::string name;
  v1::Role role;
  std::optional<absl::Duration> valid_for;  // nothing: for ever
  std::string created_by;
};
struct CreatedToken {
  v1::Token token;
  std::string secret;  // stored nowhere
};

// 256 random bits. INVALID_ARGUMENT, with the field's path, for a name, a role
// or a time that is none; ALREADY_EXISTS for a name that a live token has.
absl::StatusOr<CreatedToken> CreateToken(Database& database, const NewToken& token);

// By name, newest first within one. Live ones only unless `all`.
absl::StatusOr<std::vector<v1::Token>> ListTokens(Database& database, bool all);

// The newest of that name; OK where it is revoked already. NOT_FOUND for a name without a token.
absl::StatusOr<v1::Token> RevokeToken(Database& database, const std::string& name);

// What TokenGate holds: neither revoked nor expired by the database's clock.
absl::StatusOr<std::vector<LiveToken>> LoadLiveTokens(Database& database);

}  // namespace gridsweep::coordinator

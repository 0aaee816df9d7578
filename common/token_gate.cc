#include "common/token_gate.h"

#include <openssl/crypto.h>

#include "common/log.h"
#include "common/method_roles.h"
#include "common/sha256.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

constexpr std::string_view kBearer = "Bearer ";

std::string_view Text(const grpc::string_ref& ref) { return {ref.data(), ref.size()}; }

// The secret of "authorization: Bearer SECRET", or "".
std::string_view SecretOf(const std::multimap<grpc::string_ref, grpc::string_ref>& headers) {
  const auto [begin, end] = headers.equal_range("authorization");
  if (begin == end || std::next(begin) != end) return "";
  const std::string_view value = Text(begin->second);
  return value.substr(0, kBearer.size()) == kBearer ? value.substr(kBearer.size()) : "";
}

}  // namespace

TokenGate::TokenGate(LoadTokens load, absl::Duration every)
    : load_(std::move(load)), every_(every), reload_([this] { Reload(); }) {}

TokenGate::~TokenGate() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  reload_.join();
}

void TokenGate::Reload() {
  bool failing = false;
  for (;;) {
    const Clock::time_point now = Clock::now();  // before the read: never later than the database's
    auto tokens = load_();
    if (!tokens.ok() && !failing) {
      spdlog::error("reading tokens: {}; the last known stand",
                    std::string(tokens.status().message()));
    }
    failing = !tokens.ok();
    std::vector<Entry> entries;
    if (tokens.ok()) {
      for (LiveToken& token : *tokens) {
        const bool forever = token.valid_for > absl::Hours(24 * 365);
        const auto end =
            forever ? Clock::time_point::max() : now + absl::ToChronoNanoseconds(token.valid_for);
        entries.push_back({std::move(token), end});
      }
    }
    MutexLock lock(mutex_);
    if (tokens.ok()) {
      tokens_ = std::move(entries);
      loaded_ = true;
    }
    const auto until = Clock::now() + absl::ToChronoNanoseconds(every_);
    while (!stopping_ && Clock::now() < until) changed_.wait_until(mutex_, until);
    if (stopping_) return;
  }
}

bool TokenGate::Loaded() const {
  MutexLock lock(mutex_);
  return loaded_;
}

std::optional<TokenGate::Caller> TokenGate::Find(
    const std::multimap<grpc::string_ref, grpc::string_ref>& headers) const {
  const std::string_view secret = SecretOf(headers);
  if (secret.empty()) return std::nullopt;
  const std::string sha256 = Sha256::Of(secret);
  const Clock::time_point now = Clock::now();
  MutexLock lock(mutex_);
  // All are compared, each in constant time: the time tells nothing of a hash.
  const Entry* found = nullptr;
  for (const Entry& entry : tokens_) {
    if (entry.token.sha256.size() == sha256.size() &&
        CRYPTO_memcmp(entry.token.sha256.data(), sha256.data(), sha256.size()) == 0) {
      found = &entry;
    }
  }
  if (found == nullptr || found->end <= now) return std::nullopt;
  return Caller{found->token.name, found->token.role};
}

grpc::Status TokenGate::Process(const InputMetadata& headers, grpc::AuthContext*, OutputMetadata*,
                                OutputMetadata*) {
  const auto path = headers.find(":path");
  const std::string method = path == headers.end() ? "" : std::string(Text(path->second));
  const auto rule = RuleOf(method);
  if (!rule) {
    return {grpc::StatusCode::UNIMPLEMENTED, StrCat("this server has no method ", method)};
  }
  if (rule->least == v1::ROLE_UNSPECIFIED) return grpc::Status::OK;
  const auto caller = Find(headers);
  const std::string_view needed = RoleName(rule->least);
  if (caller) {
    if (Permits(caller->role, rule->least)) return grpc::Status::OK;
    return {grpc::StatusCode::PERMISSION_DENIED,
            StrCat(method, " needs the role ", needed, "; the token \"", caller->name,
                   "\" has the role ", RoleName(caller->role),
                   ". An admin makes one by: sweepctl token create NAME --role ", needed)};
  }
  if (!Loaded()) {
    return {grpc::StatusCode::UNAVAILABLE, "tokens have not been read from the database yet"};
  }
  const bool given = headers.find("authorization") != headers.end();
  return {grpc::StatusCode::UNAUTHENTICATED,
          StrCat(method, " needs a token with the role ", needed, "; ",
                 given ? "the one sent is unknown, expired or revoked"
                       : "none was sent (authorization: Bearer SECRET)",
                 ". An admin makes one by: sweepctl token create NAME --role ", needed,
                 "; clients read it from the file that GRIDSWEEP_TOKEN_FILE names")};
}

std::string TokenGate::NameOf(const grpc::ServerContextBase& context) const {
  const auto caller = Find(context.client_metadata());
  return caller ? caller->name : "";
}

}  // namespace gridsweep

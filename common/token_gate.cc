#include "common/token_gate.h"

#include <openssl/crypto.h>

#include <set>

#include "common/log.h"
#include "common/method_roles.h"
#include "common/printable.h"
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

using grpc::experimental::InterceptionHookPoints;

}  // namespace

// One call, from when it was let in to its end.
class TokenGate::Watched final : public grpc::experimental::Interceptor {
 public:
  Watched(TokenGate& gate, grpc::ServerContextBase& context) : gate_(gate), context_(context) {}
  ~Watched() override {
    if (place_) gate_.open_calls_.Leave(*place_);
  }
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (!place_ &&
        methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      const std::string token = Sha256::Of(SecretOf(context_.client_metadata()));
      place_ = gate_.open_calls_.Enter(token, context_.c_call());
      // It may have died since it was let in.
      if (!gate_.CallerOf(context_)) gate_.EndDeadCalls();
    }
    methods->Proceed();
  }

 private:
  TokenGate& gate_;
  grpc::ServerContextBase& context_;
  std::optional<OpenCalls::Place> place_;
};

class TokenGate::WatchedFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit WatchedFactory(TokenGate& gate) : gate_(gate) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const auto rule = info->method() == nullptr ? std::nullopt : RuleOf(info->method());
    if (!rule || rule->least == v1::ROLE_UNSPECIFIED) return nullptr;
    return new Watched(gate_, *info->server_context());
  }

 private:
  TokenGate& gate_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> TokenGate::Interceptors() {
  return std::make_unique<WatchedFactory>(*this);
}

TokenGate::TokenGate(LoadTokens load, absl::Duration every, RefusedCalls* refused)
    : load_(std::move(load)), every_(every), refused_(refused), reload_([this] { Reload(); }) {}

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
    if (tokens.ok()) {
      MutexLock lock(mutex_);
      tokens_ = std::move(entries);
      loaded_ = true;
    }
    EndDeadCalls();
    MutexLock lock(mutex_);
    const auto until = Clock::now() + absl::ToChronoNanoseconds(every_);
    while (!stopping_ && Clock::now() < until) changed_.wait_until(mutex_, until);
    if (stopping_) return;
  }
}

void TokenGate::EndDeadCalls() {
  std::set<std::string> live;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : tokens_) {
      if (entry.end > Clock::now()) live.insert(entry.token.sha256);
    }
  }
  open_calls_.EndUnless([&](const std::string& token) { return live.contains(token); });
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
    return Refuse(grpc::StatusCode::UNIMPLEMENTED, RefusedFor::kUnknownMethod, method, "",
                  StrCat("this server has no method ", Printable(method)));
  }
  if (rule->least == v1::ROLE_UNSPECIFIED) return grpc::Status::OK;
  const auto caller = Find(headers);
  const std::string_view needed = RoleName(rule->least);
  if (caller) {
    if (Permits(caller->role, rule->least)) return grpc::Status::OK;
    return Refuse(grpc::StatusCode::PERMISSION_DENIED, RefusedFor::kRole, method, caller->name,
                  StrCat(method, " needs the role ", needed, "; the token \"", caller->name,
                         "\" has the role ", RoleName(caller->role),
                         ". An admin makes one by: sweepctl token create NAME --role ", needed));
  }
  if (!Loaded()) {
    return {grpc::StatusCode::UNAVAILABLE, "tokens have not been read from the database yet"};
  }
  const bool given = headers.find("authorization") != headers.end();
  return Refuse(grpc::StatusCode::UNAUTHENTICATED,
                given ? RefusedFor::kUnknownToken : RefusedFor::kNoToken, method, "",
                StrCat(method, " needs a token with the role ", needed, "; ",
                       given ? "the one sent is unknown, expired or revoked"
                             : "none was sent (authorization: Bearer SECRET)",
                       ". An admin makes one by: sweepctl token create NAME --role ", needed,
                       "; clients read it from the file that GRIDSWEEP_TOKEN_FILE names"));
}

grpc::Status TokenGate::Refuse(grpc::StatusCode code, RefusedFor reason, const std::string& method,
                               const std::string& token_name, const std::string& why) {
  if (refused_ != nullptr) refused_->Add(reason, method, token_name);
  return {code, why};
}

std::optional<TokenGate::Caller> TokenGate::CallerOf(
    const grpc::ServerContextBase& context) const {
  return Find(context.client_metadata());
}

}  // namespace gridsweep

// Who calls, and whether they may: the one place where bearer tokens are
// checked, before a call reaches any service.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_interceptor.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/live_token.h"
#include "common/mutex.h"
#include "common/open_calls.h"
#include "common/refused_calls.h"

namespace gridsweep {

// Reads all live tokens. Called by one thread alone; may block.
using LoadTokens = std::function<absl::StatusOr<std::vector<LiveToken>>()>;

// Holds the live tokens in memory and reads them anew every `every`: a revoked
// token is refused after that at the latest, and what calls it has in flight end
// then. While they cannot be read the last ones known stand, each until it expires.
class TokenGate : public grpc::AuthMetadataProcessor {
 public:
  // `refused`, which may be null and outlives the gate, hears of calls that it refuses.
  explicit TokenGate(LoadTokens load, absl::Duration every = absl::Seconds(1),
                     RefusedCalls* refused = nullptr);
  ~TokenGate() override;

  // Looks in memory only.
  bool IsBlocking() const override { return false; }
  // Whether a call with these headers may go on (RuleOf). UNAUTHENTICATED
  // without a live token where one is needed; PERMISSION_DENIED where its role
  // does not suffice; UNIMPLEMENTED for a method without a rule; UNAVAILABLE
  // until tokens have been read once.
  grpc::Status Process(const InputMetadata& headers, grpc::AuthContext*, OutputMetadata*,
                       OutputMetadata*) override;

  // For the servers that this gate judges calls of: ends those in flight with their token. The
  // gate outlives the servers.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> Interceptors();

  struct Caller {
    std::string name;
    v1::Role role;
  };
  // Whose token a call brought; nobody's without a live one.
  std::optional<Caller> CallerOf(const grpc::ServerContextBase& context) const
      LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    LiveToken token;
    Clock::time_point end;
  };

  class Watched;
  class WatchedFactory;

  void Reload() LOCKS_EXCLUDED(mutex_);
  void EndDeadCalls() LOCKS_EXCLUDED(mutex_);
  grpc::Status Refuse(grpc::StatusCode code, RefusedFor reason, const std::string& method,
                      const std::string& token_name, const std::string& why);
  std::optional<Caller> Find(const std::multimap<grpc::string_ref, grpc::string_ref>& headers) const
      LOCKS_EXCLUDED(mutex_);
  bool Loaded() const LOCKS_EXCLUDED(mutex_);

  const LoadTokens load_;
  const absl::Duration every_;
  RefusedCalls* const refused_;
  OpenCalls open_calls_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Entry> tokens_ GUARDED_BY(mutex_);
  bool loaded_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread reload_;
};

// The name of the token that a call brought; "" without a live one, or where none is asked for.
inline std::string CallerName(const TokenGate* gate, const grpc::ServerContextBase& context) {
  const auto caller = gate == nullptr ? std::nullopt : gate->CallerOf(context);
  return caller ? caller->name : "";
}

}  // namespace gridsweep

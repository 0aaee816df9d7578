// Who calls, and whether they may: the one place where bearer tokens are
// checked, before a call reaches any service.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

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

namespace gridsweep {

// Reads all live tokens. Called by one thread alone; may block.
using LoadTokens = std::function<absl::StatusOr<std::vector<LiveToken>>()>;

// Holds the live tokens in memory and reads them anew every `every`: a revoked
// token is refused after that at the latest. While they cannot be read the
// last ones known stand, each until it expires.
class TokenGate : public grpc::AuthMetadataProcessor {
 public:
  explicit TokenGate(LoadTokens load, absl::Duration every = absl::Seconds(1));
  ~TokenGate() override;

  // Looks in memory only.
  bool IsBlocking() const override { return false; }
  // Whether a call with these headers may go on (RuleOf). UNAUTHENTICATED
  // without a live token where one is needed; PERMISSION_DENIED where its role
  // does not suffice; UNIMPLEMENTED for a method without a rule; UNAVAILABLE
  // until tokens have been read once.
  grpc::Status Process(const InputMetadata& headers, grpc::AuthContext*, OutputMetadata*,
                       OutputMetadata*) override;

  // The name of the token that a call brought; "" without a live one.
  std::string NameOf(const grpc::ServerContextBase& context) const LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    LiveToken token;
    Clock::time_point end;
  };
  struct Caller {
    std::string name;
    v1::Role role;
  };

  void Reload() LOCKS_EXCLUDED(mutex_);
  std::optional<Caller> Find(const std::multimap<grpc::string_ref, grpc::string_ref>& headers) const
      LOCKS_EXCLUDED(mutex_);
  bool Loaded() const LOCKS_EXCLUDED(mutex_);

  const LoadTokens load_;
  const absl::Duration every_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<Entry> tokens_ GUARDED_BY(mutex_);
  bool loaded_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread reload_;
};

// NameOf, or "" where no tokens are asked for.
inline std::string CallerName(const TokenGate* gate, const grpc::ServerContextBase& context) {
  return gate == nullptr ? "" : gate->NameOf(context);
}

}  // namespace gridsweep

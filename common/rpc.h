// Servers and channels with this project's settings: health, reflection,
// keepalive, message limits, credentials.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "common/client_security.h"
#include "common/mutex.h"
#include "common/server_security.h"

namespace gridsweep {

class RpcMetrics;  // common/rpc_metrics.h

// The name under which health says SERVING for as long as the process lives.
inline constexpr char kLiveness[] = "liveness";

// A running server. Reflection is on, and so is health: SERVING under the name of each service and
// under "" while the server is ready, and under "liveness" always.
class RpcServer {
 public:
  // Listens on `address`: "unix:/path/to/socket" or "host:port"; port 0 picks
  // a free one. Errors: CheckSecurity's, so that it is not open to a network
  // unasked; UNAVAILABLE where the address is taken. `gate`, not null where
  // TokensRequired, judges every call. `services` and `metrics` must outlive the server.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const std::string& address, const std::vector<grpc::Service*>& services,
      const ServerSecurity& security = {}, std::shared_ptr<TokenGate> gate = nullptr,
      RpcMetrics* metrics = nullptr);
  ~RpcServer();

  // The address that clients dial, its port filled in.
  const std::string& address() const { return address_; }
  // What health answers until Shutdown, "liveness" apart: NOT_SERVING while what the server leans
  // on is away.
  void SetReady(bool ready) LOCKS_EXCLUDED(mutex_);
  // It answers NOT_SERVING from now on, whatever SetReady says.
  void SetNotServing() LOCKS_EXCLUDED(mutex_);
  // Stops accepting, waits up to `grace` for calls in flight, cancels the rest.
  void Shutdown(absl::Duration grace);

 private:
  RpcServer() = default;
  std::string address_;
  std::vector<std::string> services_;
  std::shared_ptr<TokenGate> gate_;  // outlives the server
  std::unique_ptr<grpc::Server> server_;
  Mutex mutex_;
  bool leaving_ GUARDED_BY(mutex_) = false;
};

// A channel to `address` ("unix:…" or "host:port"), with keepalive for clients
// that wait and retries of UNAVAILABLE. Precondition: CheckSecurity is OK. `metrics`, which
// outlives it, hears of its calls.
std::shared_ptr<grpc::Channel> Dial(const std::string& address,
                                    const ClientSecurity& security = {},
                                    RpcMetrics* metrics = nullptr);

}  // namespace gridsweep

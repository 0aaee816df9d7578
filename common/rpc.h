// Servers and channels with this project's settings: health, reflection,
// keepalive, message limits, credentials.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "common/client_security.h"
#include "common/server_security.h"

namespace gridsweep {

// A running server. Health (SERVING for each service and for "") and
// reflection are on.
class RpcServer {
 public:
  // Listens on `address`: "unix:/path/to/socket" or "host:port"; port 0 picks
  // a free one. Errors: CheckSecurity's, so that it is not open to a network
  // unasked; UNAVAILABLE where the address is taken. `gate`, not null where
  // TokensRequired, judges every call. `services` must outlive the server.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const std::string& address, const std::vector<grpc::Service*>& services,
      const ServerSecurity& security = {}, std::shared_ptr<TokenGate> gate = nullptr);
  ~RpcServer();

  // The address that clients dial, its port filled in.
  const std::string& address() const { return address_; }
  // Health answers NOT_SERVING from now on.
  void SetNotServing();
  // Stops accepting, waits up to `grace` for calls in flight, cancels the rest.
  void Shutdown(absl::Duration grace);

 private:
  RpcServer() = default;
  std::string address_;
  std::shared_ptr<TokenGate> gate_;  // outlives the server
  std::unique_ptr<grpc::Server> server_;
};

// A channel to `address` ("unix:…" or "host:port"), with keepalive for clients
// that wait and retries of UNAVAILABLE. Precondition: CheckSecurity is OK.
std::shared_ptr<grpc::Channel> Dial(const std::string& address,
                                    const ClientSecurity& security = {});

}  // namespace gridsweep

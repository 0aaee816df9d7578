// How a server protects itself: TLS, tokens, where it may listen, what connections may buffer.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "common/token_gate.h"

namespace gridsweep {

// How long a server keeps connections that are of no use to anybody.
struct ConnectionTimes {
  absl::Duration handshake = absl::Seconds(10);  // TLS and HTTP/2's first words together
  absl::Duration idle = absl::Seconds(30);       // without a call in flight
  // A client that has sent nothing for so long is asked whether it is there, and gone without an
  // answer in that time: its calls end.
  absl::Duration ping_after = absl::Seconds(20);
  absl::Duration ping_answer = absl::Seconds(10);
};

struct ServerSecurity {
  // PEM files; read anew within a second of a change. All empty: no TLS.
  std::string tls_cert, tls_key;
  std::string tls_client_ca;     // clients must show a certificate that this signed
  std::string tokens = "auto";   // "required", "off"; "auto": required beyond this machine
  bool insecure_listen = false;  // beyond this machine although TLS or tokens are missing
  // What connections may buffer, before any token is looked at. Beyond it gRPC cancels calls.
  int connection_memory_mib = 256;

  ConnectionTimes times = {};

  bool tls() const { return !tls_cert.empty(); }
};

// "unix:PATH", or a loopback address: nothing leaves this machine.
bool IsUnix(const std::string& address);
bool IsLocal(const std::string& address);

// Whether a server on `address` asks for tokens.
bool TokensRequired(const std::string& address, const ServerSecurity& security);

// INVALID_ARGUMENT for flags that do not fit together or files that hold no
// certificate and its key; FAILED_PRECONDITION where `address` reaches beyond
// this machine without TLS and tokens, and nobody said that it may.
absl::Status CheckSecurity(const std::string& address, const ServerSecurity& security);

// What to listen with. `gate`, where not null, judges every call.
// Precondition: CheckSecurity is OK.
std::shared_ptr<grpc::ServerCredentials> ServerCredentialsFor(const std::string& address,
                                                              const ServerSecurity& security,
                                                              std::shared_ptr<TokenGate> gate);

}  // namespace gridsweep

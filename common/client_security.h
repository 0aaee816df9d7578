// How a client shows who it is, and makes sure of whom it talks to.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace gridsweep {

struct ClientSecurity {
  // PEM files; read anew within a second of a change.
  std::string tls_ca;             // who signed the server; "": those that this machine trusts
  std::string tls_cert, tls_key;  // the client's own, where the server asks for one
  std::string token_file;         // read anew for each call
  std::string token;              // where there is no token_file
  bool insecure = false;          // no TLS beyond this machine
};

// By the environment: GRIDSWEEP_TLS_CA, _CERT, _KEY, GRIDSWEEP_TOKEN_FILE, GRIDSWEEP_TOKEN,
// GRIDSWEEP_INSECURE (1).
ClientSecurity ClientSecurityFromEnvironment();

// INVALID_ARGUMENT for files that cannot be used, and where a token would
// travel in the clear to `address`.
absl::Status CheckSecurity(const std::string& address, const ClientSecurity& security);

// TLS beyond this machine, and on loopback where tls_ca is given; the token in
// "authorization" with each call. Precondition: CheckSecurity is OK.
std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsFor(const std::string& address,
                                                                const ClientSecurity& security);

}  // namespace gridsweep

#include "common/server_security.h"

#include <grpcpp/security/tls_credentials_options.h>

#include "common/pem_files.h"
#include "common/strings.h"

namespace gridsweep {

bool IsUnix(const std::string& address) { return address.rfind("unix:", 0) == 0; }

bool IsLocal(const std::string& address) {
  return IsUnix(address) || address.rfind("127.", 0) == 0 || address.rfind("localhost:", 0) == 0 ||
         address.rfind("[::1]:", 0) == 0;
}

bool TokensRequired(const std::string& address, const ServerSecurity& security) {
  if (security.tokens != "auto") return security.tokens == "required";
  // Told to listen without TLS, where tokens cannot travel.
  if (security.insecure_listen && !security.tls()) return false;
  return !IsLocal(address);
}

absl::Status CheckSecurity(const std::string& address, const ServerSecurity& security) {
  if (security.tokens != "auto" && security.tokens != "required" && security.tokens != "off") {
    return absl::InvalidArgumentError(
        StrCat("--tokens: \"", security.tokens, "\" is not one of auto, required, off"));
  }
  if (security.tls_cert.empty() != security.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key are given together");
  }
  if (!security.tls_client_ca.empty() && !security.tls()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (security.tls()) {
    if (IsUnix(address)) {
      return absl::InvalidArgumentError(
          StrCat("--tls-cert: TLS is for host:port; ", address, " is guarded by its file mode"));
    }
    if (auto s = CheckKeyPair(security.tls_cert, security.tls_key); !s.ok()) return s;
    if (!security.tls_client_ca.empty()) {
      if (auto s = CheckCertificates(security.tls_client_ca); !s.ok()) return s;
    }
  }
  if (IsLocal(address)) return absl::OkStatus();
  const bool tokens = TokensRequired(address, security);
  if (tokens && !security.tls()) {
    return absl::FailedPreconditionError(
        StrCat("will not listen on ", address,
               ": it reaches beyond this machine, and tokens travel only over TLS: give "
               "--tls-cert and --tls-key, or listen on unix:PATH, 127.0.0.1:PORT or [::1]:PORT"));
  }
  if (!tokens && !security.insecure_listen) {
    return absl::FailedPreconditionError(
        StrCat("will not listen on ", address,
               " without tokens: anybody who reaches it could do anything. Leave out --tokens "
               "off, or say --insecure-listen"));
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> ServerCredentialsFor(const std::string& address,
                                                              const ServerSecurity& security,
                                                              std::shared_ptr<TokenGate> gate) {
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (security.tls()) {
    grpc::experimental::TlsServerCredentialsOptions options(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            security.tls_key, security.tls_cert, security.tls_client_ca, kPemRereadSeconds));
    options.watch_identity_key_cert_pairs();
    if (!security.tls_client_ca.empty()) {
      options.watch_root_certs();
      options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    }
    credentials = grpc::experimental::TlsServerCredentials(options);
  } else if (IsLocal(address)) {
    credentials = grpc::experimental::LocalServerCredentials(IsUnix(address) ? UDS : LOCAL_TCP);
  } else {
    return grpc::InsecureServerCredentials();
  }
  if (gate != nullptr) credentials->SetAuthMetadataProcessor(std::move(gate));
  return credentials;
}

}  // namespace gridsweep

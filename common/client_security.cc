#include "common/client_security.h"

#include <absl/strings/ascii.h>
#include <absl/strings/string_view.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/pem_files.h"
#include "common/server_security.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

bool UsesTls(const std::string& address, const ClientSecurity& security) {
  return IsLocal(address) ? !IsUnix(address) && !security.tls_ca.empty() : !security.insecure;
}

absl::StatusOr<std::string> ReadToken(const ClientSecurity& security) {
  if (security.token_file.empty()) return security.token;
  std::ifstream in(security.token_file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  absl::StripAsciiWhitespace(&text);
  if (!in || text.empty()) {
    return absl::InvalidArgumentError(
        StrCat("there is no token in ", security.token_file, ": is it there, and readable?"));
  }
  return text;
}

class TokenPlugin : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenPlugin(ClientSecurity security) : security_(std::move(security)) {}

  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<std::string, std::string>* metadata) override {
    const auto token = ReadToken(security_);
    if (!token.ok()) {
      return {grpc::StatusCode::UNAUTHENTICATED, std::string(token.status().message())};
    }
    metadata->emplace("authorization", "Bearer " + *token);
    return grpc::Status::OK;
  }

 private:
  const ClientSecurity security_;
};

std::shared_ptr<grpc::ChannelCredentials> TransportFor(const std::string& address,
                                                       const ClientSecurity& security) {
  if (UsesTls(address, security)) {
    grpc::experimental::TlsChannelCredentialsOptions options;
    if (!security.tls_ca.empty() || !security.tls_cert.empty()) {
      options.set_certificate_provider(
          std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
              security.tls_key, security.tls_cert, security.tls_ca, kPemRereadSeconds));
    }
    if (!security.tls_ca.empty()) options.watch_root_certs();
    if (!security.tls_cert.empty()) options.watch_identity_key_cert_pairs();
    return grpc::experimental::TlsCredentials(options);
  }
  if (!IsLocal(address)) return grpc::InsecureChannelCredentials();
  return grpc::experimental::LocalCredentials(IsUnix(address) ? UDS : LOCAL_TCP);
}

}  // namespace

ClientSecurity ClientSecurityFromEnvironment() {
  const auto get = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  ClientSecurity security;
  security.tls_ca = get("GRIDSWEEP_TLS_CA");
  security.tls_cert = get("GRIDSWEEP_TLS_CERT");
  security.tls_key = get("GRIDSWEEP_TLS_KEY");
  security.token_file = get("GRIDSWEEP_TOKEN_FILE");
  security.token = get("GRIDSWEEP_TOKEN");
  security.insecure = get("GRIDSWEEP_INSECURE") == "1";
  return security;
}

absl::Status CheckSecurity(const std::string& address, const ClientSecurity& security) {
  if (security.tls_cert.empty() != security.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "a client's certificate and key (GRIDSWEEP_TLS_CERT, GRIDSWEEP_TLS_KEY) go together");
  }
  ASSIGN_OR_RETURN(const std::string token, ReadToken(security));
  if (!IsLocal(address) && security.insecure && !token.empty()) {
    return absl::InvalidArgumentError(
        StrCat("a token would travel unencrypted to ", address,
               ": leave out --insecure (GRIDSWEEP_INSECURE), or the token"));
  }
  for (const char c : token) {
    if (c <= ' ' || c > '~') {
      return absl::InvalidArgumentError("the token holds a space or a character that is no ASCII");
    }
  }
  if (!UsesTls(address, security)) return absl::OkStatus();
  if (!security.tls_ca.empty()) RETURN_IF_ERROR(CheckCertificates(security.tls_ca));
  if (!security.tls_cert.empty()) {
    RETURN_IF_ERROR(CheckKeyPair(security.tls_cert, security.tls_key));
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentialsFor(const std::string& address,
                                                                const ClientSecurity& security) {
  auto transport = TransportFor(address, security);
  if (security.token_file.empty() && security.token.empty()) return transport;
  // What stays on this machine needs no encryption.
  return grpc::CompositeChannelCredentials(
      transport, grpc::experimental::MetadataCredentialsFromPlugin(
                     std::make_unique<TokenPlugin>(security),
                     UsesTls(address, security) ? GRPC_PRIVACY_AND_INTEGRITY : GRPC_SECURITY_NONE));
}

}  // namespace gridsweep

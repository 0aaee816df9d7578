// The flags of servers and workers for TLS, tokens and connections, alike in all programs.
#pragma once

#include <CLI/CLI.hpp>

#include "common/client_security.h"
#include "common/server_security.h"

namespace gridsweep {

inline void AddServerSecurityFlags(CLI::App& app, ServerSecurity& security) {
  app.add_option("--tls-cert", security.tls_cert,
                 "certificate chain (PEM); read anew when it changes");
  app.add_option("--tls-key", security.tls_key, "its private key (PEM)");
  app.add_option("--tls-client-ca", security.tls_client_ca,
                 "clients must show a certificate signed by one of these (PEM)");
  app.add_option("--tokens", security.tokens,
                 "auto|required|off: whether callers need a bearer token; auto: beyond this "
                 "machine, not on unix:PATH or loopback")
      ->capture_default_str();
  app.add_flag("--insecure-listen", security.insecure_listen,
               "listen beyond this machine although TLS or tokens are off");
  app.add_option("--connection-memory", security.connection_memory_mib,
                 "MiB that the messages on all connections may take while they arrive or leave; "
                 "beyond it calls are cancelled")
      ->check(CLI::Range(16, 1 << 20))
      ->capture_default_str();
}

// `security` holds what the environment says.
inline void AddClientSecurityFlags(CLI::App& app, ClientSecurity& security) {
  app.add_option("--tls-ca", security.tls_ca,
                 "who signed the server's certificate (PEM; GRIDSWEEP_TLS_CA); default: whom this "
                 "machine trusts");
  app.add_option("--tls-cert", security.tls_cert,
                 "this client's certificate (PEM; GRIDSWEEP_TLS_CERT)");
  app.add_option("--tls-key", security.tls_key, "its private key (PEM; GRIDSWEEP_TLS_KEY)");
  app.add_option("--token-file", security.token_file,
                 "file with the bearer token (GRIDSWEEP_TOKEN_FILE; or GRIDSWEEP_TOKEN itself)");
  app.add_flag("--insecure", security.insecure,
               "no TLS beyond this machine (GRIDSWEEP_INSECURE=1)");
}

}  // namespace gridsweep

// Whom limits count as one client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "common/token_gate.h"

namespace gridsweep {

// The caller's token, or its machine where no tokens are asked for (`gate` is null): all callers on
// one machine, and all of a unix socket, are one then.
inline std::string ClientName(const TokenGate* gate, const grpc::ServerContextBase& context) {
  if (const std::string name = CallerName(gate, context); !name.empty()) return "token " + name;
  const std::string peer = context.peer();  // "ipv4:127.0.0.1:40110", "unix:"
  return peer.rfind("unix:", 0) == 0 ? peer : peer.substr(0, peer.rfind(':'));
}

}  // namespace gridsweep

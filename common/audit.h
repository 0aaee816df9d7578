// The audit log: one line for each call that changes something.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "common/token_gate.h"

namespace gridsweep {

// Logs "audit: METHOD by TOKEN from PEER: STATUS" when a call of a method that
// writes (RuleOf) has ended. What users and admins do is logged at info,
// what workers do at debug: the table `attempts` has it, too. `gate` may be
// null; it outlives the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> AuditLog(
    const TokenGate* gate);

}  // namespace gridsweep

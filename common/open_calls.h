// Calls in flight by the token that each came with, so that a token's end ends them.
#pragma once

#include <grpc/grpc.h>

#include <functional>
#include <list>
#include <string>

#include "common/mutex.h"

namespace gridsweep {

// Thread-safe.
class OpenCalls {
 public:
  struct Call {
    std::string token_sha256;
    grpc_call* call;
  };
  using Place = std::list<Call>::iterator;

  // The call is kept until Leave, which must follow before the server is gone.
  Place Enter(const std::string& token_sha256, grpc_call* call) LOCKS_EXCLUDED(mutex_);
  void Leave(Place place) LOCKS_EXCLUDED(mutex_);

  // Cancels the calls of tokens that are not `live`: their clients and handlers hear of it at once.
  // Clients get UNAUTHENTICATED.
  void EndUnless(const std::function<bool(const std::string& token_sha256)>& live)
      LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  std::list<Call> calls_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep

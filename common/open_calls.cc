#include "common/open_calls.h"

#include <vector>

namespace gridsweep {

OpenCalls::Place OpenCalls::Enter(const std::string& token_sha256, grpc_call* call) {
  grpc_call_ref(call);
  MutexLock lock(mutex_);
  return calls_.insert(calls_.end(), {token_sha256, call});
}

void OpenCalls::Leave(Place place) {
  grpc_call* call = nullptr;
  {
    MutexLock lock(mutex_);
    call = place->call;
    calls_.erase(place);
  }
  grpc_call_unref(call);
}

void OpenCalls::EndUnless(const std::function<bool(const std::string&)>& live) {
  // Not under the lock: a handler that hears of it may finish its call, and leave, in this thread.
  std::vector<grpc_call*> dead;
  {
    MutexLock lock(mutex_);
    for (const Call& call : calls_) {
      if (live(call.token_sha256)) continue;
      grpc_call_ref(call.call);
      dead.push_back(call.call);
    }
  }
  for (grpc_call* call : dead) {
    grpc_call_cancel_with_status(call, GRPC_STATUS_UNAUTHENTICATED,
                                 "the token of this call has been revoked or has expired", nullptr);
    grpc_call_unref(call);
  }
}

}  // namespace gridsweep

// Who this worker is to the coordinators.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "gridsweep/v1/dispatch.pb.h"
#include "worker/dispatch_client.h"

namespace gridsweep::worker {

// One registration and its terms; registers again, as the same incarnation,
// when the coordinators no longer know it. Thread-safe.
class Session {
 public:
  // `request` says everything but the incarnation.
  Session(DispatchClient& client, v1::RegisterRequest request);

  // Waits for a coordinator for as long as `wanted`. `kept`: leases of earlier processes that are
  // to be this one's.
  absl::Status Register(const DispatchClient::Wanted& wanted,
                        const std::vector<v1::LeaseRef>& kept = {}) LOCKS_EXCLUDED(mutex_);

  int64_t worker_id() const LOCKS_EXCLUDED(mutex_);
  const std::string& incarnation() const { return request_.incarnation(); }
  const std::string& name() const { return request_.name(); }
  absl::Duration heartbeat_interval() const LOCKS_EXCLUDED(mutex_);

  // The coordinators have refused this process for good, for example because
  // another has registered under its name since. It should stop.
  bool refused() const { return refused_; }
  // Logs why.
  void set_refused(const absl::Status& why);

  // The last word of a coordinator on whether to take runs.
  bool may_lease() const { return directive_ == v1::WORKER_DIRECTIVE_RUN; }
  // UNSPECIFIED counts as RUN. Logs a change.
  void set_directive(v1::WorkerDirective directive);

 private:
  DispatchClient& client_;
  const v1::RegisterRequest request_;
  mutable Mutex mutex_;
  v1::RegisterResponse terms_ GUARDED_BY(mutex_);
  std::atomic<bool> refused_ = false;
  std::atomic<int> directive_ = v1::WORKER_DIRECTIVE_RUN;
};

}  // namespace gridsweep::worker

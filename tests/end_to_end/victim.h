// The worker that is killed: at the very point that its plan names.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/mutex.h"
#include "tests/end_to_end/dispatch_proxy.h"
#include "tests/end_to_end/instance.h"
#include "tests/end_to_end/kill_plan.h"

namespace gridsweep::testing {

class Victim {
 public:
  using Lease = std::pair<int64_t, int>;  // run, attempt

  // Starts the worker, which reaches the coordinator through a proxy of its own.
  Victim(const Instance& instance, const KillPlan& plan, const std::string& name);

  // What it was at when it was killed; "" while it lives.
  std::string Killed() const LOCKS_EXCLUDED(mutex_);

  // What the coordinator must think of its leases, once it is dead.
  struct Leases {
    std::set<Lease> lost;       // granted, and no result
    std::set<Lease> succeeded;  // their results were committed
    std::set<Lease> either;     // the kill came while their results were on their way
  };
  Leases ItsLeases() const LOCKS_EXCLUDED(mutex_);

 private:
  DispatchHooks Hooks();
  bool Due() const REQUIRES(mutex_) { return killed_.empty() && completed_.size() >= after_; }
  // Kills the worker, which must have lived until now.
  void Kill(const std::string& at) REQUIRES(mutex_);

  const KillPlan plan_;
  const size_t after_;
  mutable Mutex mutex_;
  std::string killed_ GUARDED_BY(mutex_);
  std::set<Lease> granted_ GUARDED_BY(mutex_), completing_ GUARDED_BY(mutex_),
      completed_ GUARDED_BY(mutex_);
  DispatchProxy proxy_;
  std::unique_ptr<Program> worker_ GUARDED_BY(mutex_);  // ends before the proxy
};

}  // namespace gridsweep::testing

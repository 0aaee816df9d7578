// The leases that this worker holds, and how far their runs are.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "gridsweep/v1/dispatch.pb.h"
#include "worker/run_monitor.h"

namespace gridsweep::worker {

struct HeldLease {
  v1::Lease lease;
  uint64_t total_steps = 0;
  std::shared_ptr<RunMonitor> monitor;
  // What is owed of it waits on disk for a coordinator; it needs no slot. Of an earlier process:
  // `lease` says no more than which it is.
  bool spooled = false;
};

// Keyed by token: a run that was lost and granted again is held twice for as
// long as the first attempt has not noticed. Thread-safe.
class HeldLeases {
 public:
  void Add(HeldLease held) LOCKS_EXCLUDED(mutex_);
  void Remove(const std::string& token) LOCKS_EXCLUDED(mutex_);
  void SetSpooled(const std::string& token) LOCKS_EXCLUDED(mutex_);
  std::vector<HeldLease> All() const LOCKS_EXCLUDED(mutex_);
  size_t size() const LOCKS_EXCLUDED(mutex_);
  // Those that have or want a slot.
  std::vector<HeldLease> Unfinished() const LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  std::map<std::string, HeldLease> leases_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep::worker

// Tells the coordinators, beat by beat, that this worker lives and how far its
// runs are; hears which of them to stop.
#pragma once

#include <thread>

#include "common/mutex.h"
#include "worker/dispatch_client.h"
#include "worker/held_leases.h"
#include "worker/session.h"

namespace gridsweep::worker {

// Beats on a thread of its own from construction to destruction. While no
// coordinator answers the runs train on: nothing is stopped for an outage.
class Heartbeat {
 public:
  // The three must outlive this object.
  Heartbeat(DispatchClient& client, Session& session, HeldLeases& held);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void Loop() LOCKS_EXCLUDED(mutex_);
  // One heartbeat; how long to wait for the next.
  absl::Duration Beat();

  DispatchClient& client_;
  Session& session_;
  HeldLeases& held_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  uint64_t beats_ = 0;  // that were answered; of the thread alone
  std::thread thread_;
};

}  // namespace gridsweep::worker

// A worker: takes runs from the coordinators, trains each on a thread of its
// own, hands in the results.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "hdf5/reader.h"
#include "worker/delivery.h"
#include "worker/dispatch_client.h"
#include "worker/heartbeat.h"
#include "worker/held_leases.h"
#include "worker/session.h"
#include "worker/spool.h"

namespace gridsweep::worker {

struct WorkerOptions {
  std::string name;  // stable across restarts; unique in the fleet
  std::string version;
  int slots = 1;                               // runs side by side, a thread each
  std::optional<absl::Duration> idle_timeout;  // done after so long without a run
  std::optional<uint64_t> max_runs;            // done after so many leases
  // What the machine leaves a worker that is told to stop (Kubernetes: 30 s, spot nodes 15 s).
  absl::Duration stop_grace = absl::Seconds(15);
  std::optional<Spool> spool;        // where results wait for a coordinator
  std::filesystem::path drain_file;  // once it exists: take no more; done when none is held
  std::shared_ptr<hdf5::Reader> reader;  // of checkpoints; required
  std::function<void(double seconds)> on_step = nullptr;  // hears of each training step; any thread
  DeliveryHooks delivery;
};

// Works from Start to Stop, both called once, by one thread.
class Worker {
 public:
  // `streams`: DispatchClient's.
  Worker(const std::shared_ptr<grpc::Channel>& channel,
         const std::shared_ptr<grpc::Channel>& streams, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts the threads and returns. What the spool holds is handed in beside everything else; its
  // leases go over to this process when it registers.
  void Start();
  // Whether this worker has nothing left to do: by the options' idle time, number of runs or drain
  // file, with nothing left in the spool; or because it is refused. Cheap; to be asked every 100 ms
  // or so.
  bool Done() LOCKS_EXCLUDED(mutex_);
  // Whether it is done because the coordinators refused it.
  bool Refused() const { return session_.refused(); }
  // OK while it is registered and not refused; else what stands in the way.
  absl::Status Ready() const;
  // Takes no more runs, stops training at the next step, saves checkpoints and gives the runs
  // back; what is being sent has half of the grace, 8 s at most, to arrive, or stays in the spool.
  // False when a slot did not stop in time: its lease is released, its thread
  // still runs, and the process should exit without destroying this object.
  [[nodiscard]] bool Stop() LOCKS_EXCLUDED(mutex_);

 private:
  void LeaseLoop() LOCKS_EXCLUDED(mutex_);
  void SlotLoop() LOCKS_EXCLUDED(mutex_);
  // How long what is being sent may still take once the worker is told to stop.
  absl::Duration DeliveryGrace() const;
  // Waits for a free slot and the leave to fill it; how many to ask for, 0
  // when the worker stops.
  uint32_t WaitForRoom() LOCKS_EXCLUDED(mutex_);
  void Accept(const v1::LeaseRunsResponse& response) LOCKS_EXCLUDED(mutex_);

  const WorkerOptions options_;
  DispatchClient client_;
  Session session_;
  HeldLeases held_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<Heartbeat> heartbeat_;
  Complaints complaints_;
  std::thread leasing_;
  std::vector<std::thread> slots_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool draining_ GUARDED_BY(mutex_) = false;  // takes no more; slots finish
  bool leasing_ended_ GUARDED_BY(mutex_) = false;
  std::string last_shape_key_;  // of the leasing thread
  uint64_t leased_ GUARDED_BY(mutex_) = 0;
  int slots_running_ GUARDED_BY(mutex_) = 0;
  std::deque<HeldLease> waiting_ GUARDED_BY(mutex_);  // granted, not yet on a slot
  absl::Time idle_since_ GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

}  // namespace gridsweep::worker

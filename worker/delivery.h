// How results reach a coordinator: at once, or from the worker's disk after an outage.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "worker/complaints.h"
#include "worker/dispatch_client.h"
#include "worker/held_leases.h"
#include "worker/spool.h"

namespace gridsweep::worker {

// What monitoring hears; from any thread.
struct DeliveryHooks {
  std::function<void(size_t files)> waiting = [](size_t) {};  // on disk
  // An attempt to hand something in has failed, and nothing was judged.
  std::function<void(const absl::Status&)> failed = [](const absl::Status&) {};
};

// Threads that hand in what is in the spool, from construction to destruction: oldest first, each
// file that is not taken after a pause of its own, so that it holds up no other.
class Delivery {
 public:
  // Begins with what an earlier process left in `spool`, whose leases it adds to `held`; without a
  // spool every result waits in its slot's memory. `client` and `held` must outlive this object.
  Delivery(DispatchClient& client, HeldLeases& held, std::optional<Spool> spool,
           DeliveryHooks hooks);
  // Waits for the attempts in flight; DispatchClient::Abort ends them.
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  enum class Fate {
    kAccepted,
    kSpooled,  // safe on disk: this object ends the lease, and takes it out of `held`
  };
  // Delivers a result whose lease is `held`: tries once, then spools it. Where that cannot be done
  // it waits, as long as the result is wanted, for a coordinator. Errors: the verdict; CANCELLED
  // where it is no longer wanted or was given up.
  absl::StatusOr<Fate> Deliver(const HeldLease& held, const FinishedRun& run)
      LOCKS_EXCLUDED(mutex_);

  // For the way out, where no coordinator answers: keeps what is owed of a run that was stopped for
  // this worker's next start, if there is a spool.
  void Keep(const LeftRun& run);
  // For the way out, when a slot does not come back from sending: writes to the spool what is still
  // being sent.
  void SpoolWhatIsSent() LOCKS_EXCLUDED(mutex_);

  // The leases of what an earlier process left, oldest first: they are this worker's to keep when
  // it registers.
  std::vector<v1::LeaseRef> Left() const { return left_; }

  // What waits is tried until one attempt fails; the rest stays on disk. Ended() tells when that is
  // over.
  void Stop() LOCKS_EXCLUDED(mutex_);
  bool Ended() const LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiting {
    std::filesystem::path file;
    std::string token;                    // of the lease in held_; empty where it is not known
    std::shared_ptr<RunMonitor> monitor;  // of the lease
    std::chrono::steady_clock::time_point next;  // not to be tried sooner
    std::chrono::milliseconds pause;             // after the next failure
  };
  // HandIn of a slot's run, which is in sending_ meanwhile.
  absl::Status Send(const HeldLease& held, const FinishedRun& run,
                    std::optional<absl::Duration> once) LOCKS_EXCLUDED(mutex_);
  void Add(std::filesystem::path file, const HeldLease& held) LOCKS_EXCLUDED(mutex_);
  void Loop() LOCKS_EXCLUDED(mutex_);
  // Waits for a file whose time has come; none once it is over.
  std::optional<Waiting> Next() LOCKS_EXCLUDED(mutex_);
  // OK when the file is dealt with, be it accepted or not; else why not.
  absl::Status HandInFile(const Waiting& waiting);
  // One attempt; MaySucceedLater tells whether to keep the file.
  absl::Status HandInResult(const FinishedRun& run, const Waiting& waiting);
  absl::Status GiveBack(const LeftRun& run, const Waiting& waiting);
  size_t Count() const REQUIRES(mutex_) { return waiting_.size() + in_hand_; }

  DispatchClient& client_;
  HeldLeases& held_;
  std::optional<Spool> spool_;
  const DeliveryHooks hooks_;
  std::vector<v1::LeaseRef> left_;
  Complaints complaints_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> waiting_ GUARDED_BY(mutex_);
  size_t in_hand_ GUARDED_BY(mutex_) = 0;                    // files that a thread is at
  std::set<const FinishedRun*> sending_ GUARDED_BY(mutex_);  // from slots
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool given_up_ GUARDED_BY(mutex_) = false;  // an attempt has failed on the way out
  int running_ GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace gridsweep::worker

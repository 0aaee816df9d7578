// How results reach a coordinator: at once, or from the worker's disk after an outage.
#pragma once

#include <absl/status/statusor.h>

#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/mutex.h"
#include "worker/dispatch_client.h"
#include "worker/held_leases.h"
#include "worker/spool.h"

namespace gridsweep::worker {

// A thread that hands in what is in the spool, from construction to destruction, oldest first.
class Delivery {
 public:
  // Begins with what an earlier process left in `spool`; without one every result waits in its
  // slot's memory. `client` and `held` must outlive this object.
  Delivery(DispatchClient& client, HeldLeases& held, std::optional<Spool> spool);
  // Waits for the attempt in flight; DispatchClient::Abort ends it.
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  enum class Fate {
    kAccepted,
    kSpooled,  // safe on disk: this object ends the lease, and takes it out of `held`
  };
  // Delivers a result whose lease is `held`: tries once, then spools it. Where that cannot be done
  // it waits, as long as the result is wanted, for a coordinator. Errors: the refusal; CANCELLED
  // where it is no longer wanted or was given up.
  absl::StatusOr<Fate> Deliver(const HeldLease& held, const FinishedRun& run)
      LOCKS_EXCLUDED(mutex_);

  // For the way out, where no coordinator answers: keeps what is owed of a run that was stopped for
  // this worker's next start, if there is a spool.
  void Keep(const LeftRun& run);
  // For the way out, when a slot does not come back from sending: writes to the spool what is still
  // being sent.
  void SpoolWhatIsSent() LOCKS_EXCLUDED(mutex_);

  // Waits until what an earlier process left has been handed in or set aside. Its leases end when
  // this worker registers, so that comes after.
  void WaitForLegacy(const DispatchClient::Wanted& wanted) LOCKS_EXCLUDED(mutex_);

  // What waits is tried once more each; the rest stays on disk. Ended() tells when that is over.
  void Stop() LOCKS_EXCLUDED(mutex_);
  bool Ended() const LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiting {
    std::filesystem::path file;
    std::string token;  // of the lease in held_; empty for what an earlier process left
  };
  // HandIn of a slot's run, which is in sending_ meanwhile.
  absl::Status Send(const HeldLease& held, const FinishedRun& run,
                    std::optional<absl::Duration> once) LOCKS_EXCLUDED(mutex_);
  void Loop() LOCKS_EXCLUDED(mutex_);
  // Whether the file is dealt with, be it accepted or not; if not, later.
  bool HandInFile(const std::filesystem::path& file);
  // One attempt; MaySucceedLater tells whether to keep the file.
  absl::Status HandInResult(const FinishedRun& run, const std::filesystem::path& file);
  absl::Status GiveBack(const LeftRun& run);

  DispatchClient& client_;
  HeldLeases& held_;
  std::optional<Spool> spool_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> waiting_ GUARDED_BY(mutex_);
  size_t legacy_ GUARDED_BY(mutex_) = 0;                     // of waiting_, at its front
  std::set<const FinishedRun*> sending_ GUARDED_BY(mutex_);  // from slots
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace gridsweep::worker

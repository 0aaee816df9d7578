// Waiting workers meet claimable runs: LeaseRuns calls queue here, in memory,
// and one claim serves all that wait.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "coordinator/lane.h"
#include "coordinator/store/claims.h"

namespace gridsweep::coordinator {

class Matcher {
 public:
  // Called exactly once a ticket, from any thread, no lock held; grants may be
  // empty (time is up, or the worker's directive is not RUN). CANCELLED after Cancel.
  using Reply = std::function<void(absl::StatusOr<Claimed>)>;

  // Claims run in `lane`, one at a time. `poll`: how often to look without a Wake.
  Matcher(Lane& lane, absl::Duration lease_ttl, absl::Duration poll = absl::Seconds(1));
  ~Matcher();

  // Waits for runs until `deadline`. A waiting call with the same worker and
  // request id is answered empty: its caller has asked again. The ticket.
  uint64_t Wait(Demand demand, absl::Time deadline, Reply reply) LOCKS_EXCLUDED(mutex_);
  // The caller has gone. A grant on its way to it is released.
  void Cancel(uint64_t ticket) LOCKS_EXCLUDED(mutex_);
  // There may be claimable runs.
  void Wake(const NewWork& work) LOCKS_EXCLUDED(mutex_);
  // A lease has ended: a sweep with a limit may have room again.
  void RoomAppeared() LOCKS_EXCLUDED(mutex_);
  // Answers all that wait, and all that come later, empty.
  void Drain() LOCKS_EXCLUDED(mutex_);
  // Gives back grants that could not be delivered.
  void Release(const std::vector<LeaseKey>& keys);

 private:
  struct Waiter {
    Demand demand;
    absl::Time deadline;
    Reply reply;
    bool tried = false;     // a claim has looked for it at least once
    bool claiming = false;  // a claim in progress looks for it
  };
  // When it is answered empty: even a call that does not want to wait is
  // looked for once.
  static absl::Time EndOf(const Waiter& waiter);

  void Loop() LOCKS_EXCLUDED(mutex_);
  void StartClaim() LOCKS_EXCLUDED(mutex_);
  void Claim(Database& database, const std::vector<uint64_t>& tickets,
             const std::vector<Demand>& demands, const ClaimReason& reason)
      LOCKS_EXCLUDED(mutex_);
  void GiveBack(Database& database, const std::vector<LeaseKey>& keys);
  // Removes the waiter; its reply, or nullptr when it has gone.
  Reply Take(uint64_t ticket) LOCKS_EXCLUDED(mutex_);

  Lane& lane_;
  const absl::Duration lease_ttl_;
  const absl::Duration poll_;
  Mutex mutex_;
  CondVar changed_;
  std::map<uint64_t, Waiter> waiters_ GUARDED_BY(mutex_);  // oldest first
  uint64_t next_ticket_ GUARDED_BY(mutex_) = 1;
  bool work_ GUARDED_BY(mutex_) = true;    // a claim is due
  ClaimReason reason_ GUARDED_BY(mutex_);  // for it
  bool claiming_ GUARDED_BY(mutex_) = false;
  ClaimMemory memory_;  // of the claim in progress
  bool draining_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::coordinator

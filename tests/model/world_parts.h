// The parts of a simulated world: world.cc has its clock and its audit, the other files its actors.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "coordinator/expiry_guard.h"
#include "coordinator/progress_board.h"
#include "tests/model/world.h"

namespace gridsweep::coordinator {

// Shorter than in life, so that more happens in an operation; in the same proportions.
inline constexpr absl::Duration kTtl = absl::Seconds(20);
inline constexpr absl::Duration kHeartbeat = absl::Seconds(5);
inline constexpr absl::Duration kTick = absl::Seconds(1);
// An outage that is no longer costs no lease: heartbeats come in time after it.
inline const absl::Duration kMoment = 5 * kTick;
inline constexpr absl::Duration kRescan = absl::Seconds(10);  // QueueFloor's
inline constexpr absl::Duration kLongestWait = absl::Seconds(30);
// What a worker needs at most to find a coordinator that answers: it tries once a second.
inline constexpr absl::Duration kRetry = absl::Seconds(1);
inline constexpr absl::Duration kCalmLimit = absl::Hours(2);
inline constexpr size_t kLog = 80;
inline constexpr FailurePolicy kPolicy{absl::Seconds(2), 3};

class World {
 public:
  explicit World(const WorldOptions& options)
      : options_(options),
        random_(options.seed),
        store_(options.seed ^ 0x9e3779b97f4a7c15, options.mutation),
        audit_(store_) {}

  WorldReport Run();

 private:
  struct HeldRun {
    LeaseKey key;
    absl::Time since;
    uint64_t step = 0;
  };
  struct Worker {
    std::string name, host, incarnation;
    int epoch = 0;  // of its process: events of an earlier one are void
    bool up = true;
    int64_t id = 0;  // 0: not registered
    int slots = 1;
    std::vector<HeldRun> held;
    bool waiting = false;
    std::string request_id;
    std::vector<Completion> spool;  // on its disk: survives the process
    std::vector<LeaseKey> old;      // leases that it held once
    absl::Time frozen_until = absl::InfinitePast();
    absl::Time prompt_since = absl::InfinitePast();  // has not been late since
    absl::Time next_register = absl::InfinitePast();
  };
  struct Waiter {
    Demand demand;
    size_t worker;
    int epoch;
    absl::Time deadline, since;
  };
  struct Coordinator {
    int epoch = 0;
    bool up = true;
    absl::Time suspended_until = absl::InfinitePast();
    QueueFloor floor;
    std::unique_ptr<LeftOut> left_out = std::make_unique<LeftOut>();
    std::unique_ptr<ExpiryGuard> guard;
    std::map<uint64_t, Waiter> waiters;
    std::unique_ptr<ClaimTransaction> claim;
    std::vector<uint64_t> claimed_for;  // tickets, in the order of its demands
    absl::Time claim_began;
    std::vector<MemoryLeaseStore::Ticket> open;
  };
  struct Event {
    absl::Time at;
    uint64_t tie;  // drawn, so that what is due at once comes in any order
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : tie > other.tie;
    }
  };
  struct Entry {
    absl::Time at;
    Step step;
    std::string fate;  // instead of a step
  };

  bool Chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }
  int64_t Pick(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }
  absl::Duration Between(double low, double high) {
    return absl::Microseconds(
        static_cast<int64_t>(std::uniform_real_distribution<double>(low, high)(random_) * 1e6));
  }
  std::string Bytes() {
    std::string bytes(16, '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }

  void In(absl::Duration delay, std::function<void()> what) {
    events_.push({now_ + delay, random_(), std::move(what)});
  }
  // Of one process: void once that has ended. Suspended processes do what they have to later.
  void InWorker(size_t w, absl::Duration delay, std::function<void()> what);
  void InCoordinator(size_t c, absl::Duration delay, std::function<void()> what);

  static ExpiryGuard::Time Steady(absl::Time t) {
    return ExpiryGuard::Time(absl::ToChronoNanoseconds(t - absl::UnixEpoch()));
  }

  // Executes a transaction of the store and audits it. Nothing happens any more after a fault.
  void Apply(const Step& step, const std::function<void()>& body);
  // The same, visible now or a while later. `done` executes it.
  void ApplySometime(size_t c, const Footprint& footprint, const Step& step,
                     std::function<void()> done);
  void CheckClaimable(const Coordinator& coordinator);
  void Fault(const std::string& what) { report_.faults.push_back(what); }
  void Log(Entry entry) {
    log_.push_back(std::move(entry));
    if (log_.size() > kLog) log_.pop_front();
  }

  // A coordinator that answers, or none: there is none, or the way to it is gone.
  std::optional<size_t> Reach();
  bool IsReachable() const;

  // Coordinators.
  void StartCoordinator(size_t c);
  void KillCoordinator(size_t c);
  void Upkeep(size_t c);
  void Poll(size_t c);
  void StartClaim(size_t c);
  void StepClaim(size_t c);
  void FinishClaim(size_t c);
  void Deliver(size_t c, uint64_t ticket, const Claimed& claimed);
  void WakeAll();
  void EndExpired(size_t c, const std::vector<LeaseKey>& keys, bool may_expire);
  void Release(size_t c, const std::vector<LeaseKey>& keys);

  // Workers.
  void StartWorker(size_t w);
  void KillWorker(size_t w);
  void Act(size_t w);
  void Work(size_t w);
  void Beat(size_t w);
  void Ask(size_t w, size_t c);
  void Register(size_t w, size_t c);
  void Complete(size_t w, const Completion& completion);
  void Fail(size_t w, const LeaseKey& key);
  void Harass(size_t w, size_t c);
  void Drop(Worker& worker, const std::string& token);

  // Users and fate.
  void UserActs();
  void Retry(int64_t sweep_id);
  void FateActs();
  void Calm();
  bool IsOver() const;

  const WorldOptions options_;
  std::mt19937_64 random_;
  MemoryLeaseStore store_;
  Audit audit_;
  WorldReport report_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  absl::Duration database_offset_ = absl::ZeroDuration();
  std::priority_queue<Event> events_;
  std::deque<Worker> workers_;
  std::deque<Coordinator> coordinators_;
  bool database_up_ = true;
  // A coordinator and the database have been up since, but for moments; and when they last were.
  absl::Time reachable_since_, reachable_last_;
  absl::Time disturbed_ = absl::InfinitePast();  // rows were let go of unchanged
  std::vector<absl::Time> claimable_since_;      // by run
  std::map<int64_t, absl::Time> room_since_;     // by limited sweep
  uint64_t next_ticket_ = 1;
  bool calm_ = false;
  std::deque<Entry> log_;
};

}  // namespace gridsweep::coordinator

#include "tests/model/world.h"

#include <absl/time/time.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <queue>

#include "common/status.h"
#include "common/strings.h"
#include "coordinator/expiry_guard.h"
#include "coordinator/progress_board.h"

namespace gridsweep::coordinator {
namespace {

// Shorter than in life, so that more happens in an operation; in the same proportions.
constexpr absl::Duration kTtl = absl::Seconds(20);
constexpr absl::Duration kHeartbeat = absl::Seconds(5);
constexpr absl::Duration kTick = absl::Seconds(1);
// An outage that is no longer costs no lease: heartbeats come in time after it.
const absl::Duration kMoment = 5 * kTick;
constexpr absl::Duration kRescan = absl::Seconds(10);  // QueueFloor's
constexpr absl::Duration kLongestWait = absl::Seconds(30);
// What a worker needs at most to find a coordinator that answers: it tries once a second.
constexpr absl::Duration kRetry = absl::Seconds(1);
constexpr absl::Duration kCalmLimit = absl::Hours(2);
constexpr size_t kLog = 80;
constexpr FailurePolicy kPolicy{absl::Seconds(2), 3};

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

  // Randomness.
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
  template <typename Body>
  void Apply(const Step& step, Body body);
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
  // A coordinator and the database have been up since, but for moments; and the last time they
  // were.
  absl::Time reachable_since_, reachable_last_;
  absl::Time disturbed_ = absl::InfinitePast();  // rows were let go of unchanged
  absl::Time jumped_ = absl::InfinitePast();     // the database's clock
  std::vector<absl::Time> claimable_since_;      // by run
  std::map<int64_t, absl::Time> room_since_;     // by limited sweep
  uint64_t next_ticket_ = 1;
  bool calm_ = false;
  std::deque<Entry> log_;
};

void World::InWorker(size_t w, absl::Duration delay, std::function<void()> what) {
  const int epoch = workers_[w].epoch;
  In(delay, [this, w, epoch, what = std::move(what)] {
    const Worker& worker = workers_[w];
    if (!worker.up || worker.epoch != epoch) return;
    if (worker.frozen_until > now_) return InWorker(w, worker.frozen_until - now_, what);
    what();
  });
}

void World::InCoordinator(size_t c, absl::Duration delay, std::function<void()> what) {
  const int epoch = coordinators_[c].epoch;
  In(delay, [this, c, epoch, what = std::move(what)] {
    const Coordinator& coordinator = coordinators_[c];
    if (!coordinator.up || coordinator.epoch != epoch) return;
    if (coordinator.suspended_until > now_) {
      return InCoordinator(c, coordinator.suspended_until - now_, what);
    }
    what();
  });
}

template <typename Body>
void World::Apply(const Step& step, Body body) {
  if (!report_.faults.empty()) return;
  store_.SetNow(now_ + database_offset_);
  body();
  if (!report_.faults.empty()) return;  // of a transaction that it waited for
  Log({now_, step, ""});
  ++report_.operations[static_cast<size_t>(step.operation)];
  ++report_.total;
  for (std::string& fault : audit_.Check(step)) Fault(fault);
  report_.changes += !audit_.changed().empty();
  claimable_since_.resize(store_.runs().size());
  for (const int64_t run_id : audit_.changed()) {
    claimable_since_[static_cast<size_t>(run_id - 1)] = now_;
    room_since_[store_.runs()[static_cast<size_t>(run_id - 1)].sweep_id] = now_;
  }
}

void World::ApplySometime(size_t c, const Footprint& footprint, const Step& step,
                          std::function<void()> done) {
  if (calm_ || !Chance(0.3)) return Apply(step, done);
  store_.SetNow(now_ + database_offset_);
  const auto ticket = store_.Hold(footprint, [this, footprint, step, done = std::move(done)] {
    Apply(step, done);
    for (const int64_t run : footprint.runs) claimable_since_[static_cast<size_t>(run - 1)] = now_;
  });
  ++report_.held;
  coordinators_[c].open.push_back(ticket);
  // The database commits, whatever becomes of its client.
  In(Between(0, Chance(0.2) ? 15 : 0.5), [this, c, ticket] {
    std::erase(coordinators_[c].open, ticket);
    if (database_up_ && store_.IsOpen(ticket)) store_.Commit(ticket);
  });
}

bool World::IsReachable() const {
  return database_up_ && std::ranges::any_of(coordinators_, [&](const Coordinator& c) {
           return c.up && c.suspended_until <= now_;
         });
}

std::optional<size_t> World::Reach() {
  if (!database_up_) return std::nullopt;
  const auto c = static_cast<size_t>(Pick(static_cast<int64_t>(coordinators_.size())));
  for (size_t i = 0; i < coordinators_.size(); ++i) {
    const size_t next = (c + i) % coordinators_.size();
    if (coordinators_[next].up && coordinators_[next].suspended_until <= now_) return next;
  }
  return std::nullopt;
}

// What a claim has left waiting must not have been there to be claimed for longer than the
// interval.
void World::CheckClaimable(const Coordinator& coordinator) {
  absl::Time waited_since = absl::InfiniteFuture();
  for (const uint64_t ticket : coordinator.claimed_for) {
    const auto found = coordinator.waiters.find(ticket);
    if (found == coordinator.waiters.end()) continue;
    const auto worker = store_.workers().find(found->second.demand.worker_id);
    if (worker == store_.workers().end() ||
        worker->second.incarnation != found->second.demand.incarnation ||
        worker->second.directive != v1::WORKER_DIRECTIVE_RUN) {
      continue;
    }
    waited_since = std::min(waited_since, found->second.since);
  }
  for (size_t i = 0; i < store_.runs().size(); ++i) {
    const ModelRun& run = store_.runs()[i];
    const ModelSweep& sweep = store_.sweeps().at(run.sweep_id);
    if (run.state != State::kPending || sweep.cancelled) continue;
    if (store_.IsLocked(static_cast<int64_t>(i) + 1)) continue;
    absl::Time since = std::max({waited_since, claimable_since_[i], disturbed_});
    if (sweep.max_parallel > 0) {
      int leased = 0;
      for (int64_t r = 0; r < sweep.runs; ++r) {
        leased += store_.runs()[static_cast<size_t>(sweep.first_run - 1 + r)].lease.has_value();
      }
      if (leased >= sweep.max_parallel) continue;
      since = std::max(since, room_since_[run.sweep_id]);
    }
    if (coordinator.claim_began - since > kRescan) {
      Fault(StrCat("run ", i + 1, " was claimable for ",
                   absl::FormatDuration(coordinator.claim_began - since),
                   " while a worker waited, and was not seen"));
    }
  }
}

// Coordinators.

void World::StartCoordinator(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  coordinator.up = true;
  Log({now_, {}, StrCat("coordinator ", c, " starts")});
  ++coordinator.epoch;
  coordinator.suspended_until = absl::InfinitePast();
  coordinator.floor = QueueFloor();
  coordinator.left_out = std::make_unique<LeftOut>();
  const bool blind = options_.mutation == Mutation::kSuspensionIsNoOutage;
  coordinator.guard = std::make_unique<ExpiryGuard>(kTtl, blind ? absl::InfiniteDuration() : kTick);
  InCoordinator(c, Between(0, 1), [this, c] { Upkeep(c); });
  InCoordinator(c, Between(0, 1), [this, c] { Poll(c); });
}

void World::KillCoordinator(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  coordinator.up = false;
  Log({now_, {}, StrCat("coordinator ", c, " dies")});
  ++report_.deaths;
  if (coordinator.claim) disturbed_ = now_;
  coordinator.claim.reset();
  coordinator.claimed_for.clear();
  for (const auto ticket : coordinator.open) {
    // What was on its way to the database may arrive all the same.
    if (store_.IsOpen(ticket) && Chance(0.5)) {
      store_.Rollback(ticket);
      disturbed_ = now_;
      ++report_.rolled_back;
    }
  }
  coordinator.open.clear();
  for (const auto& [ticket, waiter] : coordinator.waiters) {
    // Its callers see the connection break.
    InWorker(waiter.worker, Between(0, 1),
             [this, w = waiter.worker] { workers_[w].waiting = false; });
  }
  coordinator.waiters.clear();
  In(calm_ ? kTick : Between(0, 40), [this, c] {
    if (!coordinators_[c].up) StartCoordinator(c);
  });
}

void World::WakeAll() {
  for (size_t c = 0; c < coordinators_.size(); ++c) {
    if (Chance(0.8)) InCoordinator(c, Between(0, 0.02), [this, c] { StartClaim(c); });
  }
}

void World::EndExpired(size_t c, const std::vector<LeaseKey>& keys, bool may_expire) {
  for (const LeaseKey& key : keys) {
    for (const Worker& worker : workers_) {
      // A worker that has been in time, and could be, loses nothing.
      const bool holds = std::ranges::any_of(worker.held, [&](const HeldRun& held) {
        return held.key.token == key.token && now_ - held.since > kTtl;
      });
      if (holds && worker.up && worker.id != 0 && now_ - worker.prompt_since > kTtl &&
          now_ - jumped_ > kTtl) {
        Fault(StrCat("run ", key.run_id, " expired under ", worker.name,
                     ", which was never late: an outage has cost it"));
      }
    }
  }
  const Step step{.operation = Operation::kExpire, .now = store_.now(), .may_expire = may_expire};
  ApplySometime(c, store_.OfEnding(keys), step, [this, keys] {
    if (!store_.EndExpired(keys, kPolicy).empty()) WakeAll();
  });
}

void World::Upkeep(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  InCoordinator(c, kTick + Between(0, 0.05), [this, c] { Upkeep(c); });
  const bool guarded = coordinator.guard->MayExpire(Steady(now_));
  if (!database_up_) return coordinator.guard->Failed();
  store_.SetNow(now_ + database_offset_);
  if (guarded || options_.mutation == Mutation::kExpiryDuringOutage) {
    const auto keys = store_.FindExpired(kTtl);
    if (!keys.empty()) EndExpired(c, keys, now_ - reachable_since_ > kTtl);
  }
  const auto due = store_.FindDue();
  if (due.empty()) return;
  ApplySometime(c, store_.OfQueueingDue(due), {.operation = Operation::kDue, .now = store_.now()},
                [this, due] {
                  store_.QueueDue(due);
                  WakeAll();
                });
}

void World::Poll(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  for (auto it = coordinator.waiters.begin(); it != coordinator.waiters.end();) {
    const Waiter waiter = it->second;
    if (waiter.deadline > now_) {
      ++it;
      continue;
    }
    it = coordinator.waiters.erase(it);
    if (workers_[waiter.worker].epoch == waiter.epoch) workers_[waiter.worker].waiting = false;
  }
  StartClaim(c);
  InCoordinator(c, absl::Seconds(1), [this, c] { Poll(c); });
}

void World::StartClaim(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  if (coordinator.claim || coordinator.waiters.empty() || !database_up_) return;
  std::vector<Demand> demands;
  coordinator.claimed_for.clear();
  for (const auto& [ticket, waiter] : coordinator.waiters) {
    coordinator.claimed_for.push_back(ticket);
    demands.push_back(waiter.demand);
  }
  coordinator.claim_began = now_;
  store_.SetNow(now_ + database_offset_);
  coordinator.claim = std::make_unique<ClaimTransaction>(store_, std::move(demands), kTtl,
                                                         &coordinator.floor, now_);
  coordinator.claim->OnWaited([this, c] { FinishClaim(c); });
  StepClaim(c);
}

void World::StepClaim(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  if (!coordinator.claim) return;
  store_.SetNow(now_ + database_offset_);
  const bool more = coordinator.claim->Step();
  if (!coordinator.claim->begun()) disturbed_ = now_;
  if (!more) return FinishClaim(c);
  InCoordinator(c, Between(0, Chance(0.1) ? 1 : 0.02), [this, c] { StepClaim(c); });
}

void World::FinishClaim(size_t c) {
  Coordinator& coordinator = coordinators_[c];
  if (!coordinator.claim) return;
  std::optional<std::vector<Claimed>> claimed;
  Apply({.operation = Operation::kClaim}, [&] { claimed = coordinator.claim->Finish(); });
  if (!claimed) disturbed_ = now_;
  if (!claimed || !report_.faults.empty()) return;
  coordinator.claim.reset();
  const std::vector<uint64_t> tickets = coordinator.claimed_for;
  for (size_t i = 0; i < tickets.size(); ++i) Deliver(c, tickets[i], (*claimed)[i]);
  CheckClaimable(coordinator);
}

void World::Deliver(size_t c, uint64_t ticket, const Claimed& claimed) {
  Coordinator& coordinator = coordinators_[c];
  if (claimed.registered && claimed.grants.empty() &&
      claimed.directive == v1::WORKER_DIRECTIVE_RUN) {
    return;  // waits on
  }
  std::vector<LeaseKey> keys;
  for (const Grant& grant : claimed.grants) keys.push_back(grant.key);
  const auto found = coordinator.waiters.find(ticket);
  const bool gone = found == coordinator.waiters.end();
  const size_t w = gone ? 0 : found->second.worker;
  const bool alive = !gone && workers_[w].up && workers_[w].epoch == found->second.epoch;
  if (!gone) coordinator.waiters.erase(found);
  const bool lost = !calm_ && Chance(0.05);  // the reply
  if (alive && !lost) {
    const int epoch = workers_[w].epoch;
    In(Between(0, 0.01), [this, w, epoch, claimed, keys] {
      Worker& worker = workers_[w];
      if (!worker.up || worker.epoch != epoch) return;
      worker.waiting = false;
      worker.request_id.clear();
      if (!claimed.registered) worker.id = 0;
      for (const LeaseKey& key : keys) worker.held.push_back({key, now_});
    });
    return;
  }
  if (alive) {
    // It asks again, by the same name, once it has given up waiting.
    InWorker(w, Between(0, 5), [this, w] { workers_[w].waiting = false; });
  }
  // Whether the coordinator hears that nobody was there to take them.
  if (!keys.empty() && Chance(0.5)) Release(c, keys);
}

void World::Release(size_t c, const std::vector<LeaseKey>& keys) {
  ApplySometime(c, store_.OfEnding(keys), {.operation = Operation::kRelease, .keys = keys},
                [this, keys] {
                  (void)store_.Release(keys, "");
                  WakeAll();
                });
}

// Workers.

void World::StartWorker(size_t w) {
  Worker& worker = workers_[w];
  worker.up = true;
  Log({now_, {}, StrCat(worker.name, " starts")});
  ++worker.epoch;
  worker.incarnation = Bytes();
  worker.id = 0;
  worker.held.clear();
  worker.waiting = false;
  worker.request_id.clear();
  worker.frozen_until = absl::InfinitePast();
  worker.prompt_since = now_;
  worker.next_register = now_;
  InWorker(w, Between(0, 1), [this, w] { Act(w); });
  InWorker(w, Between(0, 5), [this, w] { Beat(w); });
}

void World::KillWorker(size_t w) {
  Worker& worker = workers_[w];
  worker.up = false;
  Log({now_, {}, StrCat(worker.name, " dies")});
  ++report_.deaths;
  for (const HeldRun& held : worker.held) worker.old.push_back(held.key);
  worker.held.clear();
  for (Coordinator& coordinator : coordinators_) {
    // Some connections are seen to break; others are held for alive.
    std::erase_if(coordinator.waiters,
                  [&](const auto& item) { return item.second.worker == w && Chance(0.5); });
  }
  if (Chance(0.3)) worker.host = StrCat("host-", Pick(4));
  In(Between(0, Chance(0.3) ? 60 : 5), [this, w] {
    if (!workers_[w].up) StartWorker(w);
  });
}

void World::Drop(Worker& worker, const std::string& token) {
  std::erase_if(worker.held, [&](const HeldRun& held) {
    if (held.key.token != token) return false;
    worker.old.push_back(held.key);
    if (worker.old.size() > 8) worker.old.erase(worker.old.begin());
    return true;
  });
}

void World::Register(size_t w, size_t c) {
  Worker& worker = workers_[w];
  worker.next_register = now_ + absl::Seconds(4);
  v1::RegisterRequest request;
  request.set_name(worker.name);
  request.set_host(worker.host);
  request.set_incarnation(worker.incarnation);
  request.set_slots(static_cast<uint32_t>(worker.slots));
  store_.SetNow(now_ + database_offset_);
  store_.Settle(store_.OfRegistering(request));
  const Footprint footprint = store_.OfRegistering(request);
  Step step{.operation = Operation::kRegister, .incarnation = worker.incarnation};
  for (const auto& [id, known] : store_.workers()) {
    if (known.name != worker.name) continue;
    step.worker_id = id;
    step.same_host = known.host == worker.host;
  }
  // A process that was told of a newer one has ended.
  const int epoch = worker.epoch;
  ApplySometime(c, footprint, step, [this, w, epoch, request] {
    const auto registered = store_.Register(request, kPolicy, nullptr);
    if (!registered->ended.empty()) WakeAll();
    if (workers_[w].up && workers_[w].epoch == epoch) workers_[w].id = registered->worker_id;
  });
}

void World::Ask(size_t w, size_t c) {
  Worker& worker = workers_[w];
  const int free = worker.slots - static_cast<int>(worker.held.size());
  if (free <= 0) return;
  if (worker.request_id.empty()) worker.request_id = Bytes();
  worker.waiting = true;
  auto& waiters = coordinators_[c].waiters;
  std::erase_if(waiters, [&](const auto& item) {
    return item.second.worker == w && item.second.demand.request_id == worker.request_id;
  });
  Waiter waiter{{}, w, worker.epoch, now_ + kLongestWait, now_};
  waiter.demand.worker_id = worker.id;
  waiter.demand.incarnation = worker.incarnation;
  waiter.demand.request_id = worker.request_id;
  waiter.demand.max_runs = free;
  waiters.emplace(next_ticket_++, std::move(waiter));
  InCoordinator(c, Between(0, 0.01), [this, c] { StartClaim(c); });
  if (!calm_ && Chance(0.03)) worker.waiting = false;  // its connection breaks: asks again
}

void World::Complete(size_t w, const Completion& completion) {
  Worker& worker = workers_[w];
  const auto c = Reach();
  if (!c) {
    worker.spool.push_back(completion);
    return;
  }
  const auto& ref = completion.header.ref();
  Apply({.operation = Operation::kComplete, .keys = {{ref.run_id(), ref.token()}}},
        [&] { (void)store_.Complete(completion); });
  if (!calm_ && Chance(0.1)) worker.spool.push_back(completion);  // the reply is lost
}

void World::Fail(size_t w, const LeaseKey& key) {
  const auto c = Reach();
  if (!c) return;
  Step step{.operation = Operation::kFail, .keys = {key}};
  for (const auto& [id, known] : store_.workers()) {
    if (known.name == workers_[w].name) step.worker_id = id;
  }
  ApplySometime(*c, store_.OfFailing(key), step, [this, key] {
    (void)store_.Fail(key, "", "", kPolicy);
    WakeAll();
  });
}

// What no worker should send, and some do: writes of leases that are gone.
void World::Harass(size_t w, size_t c) {
  Worker& worker = workers_[w];
  if (worker.old.empty()) return;
  const LeaseKey key =
      worker.old[static_cast<size_t>(Pick(static_cast<int64_t>(worker.old.size())))];
  switch (Pick(5)) {
    case 0:
      return Fail(w, key);
    case 1:
      return Release(c, {key});
    case 2:
      return Apply({.operation = Operation::kCheckpoint, .keys = {key}}, [&] {
        v1::CheckpointRef checkpoint;
        checkpoint.set_step(1'000'000);
        (void)store_.Checkpoint(key, checkpoint);
      });
    case 3:
      return Apply({.operation = Operation::kRenew, .keys = {key}}, [&] {
        (void)store_.Renew(worker.id, worker.incarnation, {{key, {}}}, kTtl);
      });
    default: {
      Completion completion;
      completion.header.mutable_ref()->set_run_id(key.run_id);
      completion.header.mutable_ref()->set_token(key.token);
      completion.header.set_outcome(v1::OUTCOME_SUCCEEDED);
      return Complete(w, completion);
    }
  }
}

void World::Work(size_t w) {
  Worker& worker = workers_[w];
  for (HeldRun& held : worker.held) ++held.step;
  if (worker.held.empty()) return;
  const HeldRun held =
      worker.held[static_cast<size_t>(Pick(static_cast<int64_t>(worker.held.size())))];
  const double luck = std::uniform_real_distribution<double>(0, 1)(random_);
  if (luck < (calm_ ? 0.9 : 0.3)) {
    Completion completion;
    completion.header.mutable_ref()->set_run_id(held.key.run_id);
    completion.header.mutable_ref()->set_token(held.key.token);
    completion.header.set_outcome(Chance(0.2) ? v1::OUTCOME_DIVERGED : v1::OUTCOME_SUCCEEDED);
    Drop(worker, held.key.token);
    Complete(w, completion);
    return;
  }
  const auto c = Reach();
  if (calm_ || !c) return;
  if (luck < 0.36) {
    Drop(worker, held.key.token);
    Fail(w, held.key);
  } else if (luck < 0.42) {
    Drop(worker, held.key.token);
    Release(*c, {held.key});
  } else if (luck < 0.5) {
    Apply({.operation = Operation::kCheckpoint, .keys = {held.key}}, [&] {
      v1::CheckpointRef checkpoint;
      checkpoint.set_step(held.step);
      (void)store_.Checkpoint(held.key, checkpoint);
    });
  }
}

void World::Act(size_t w) {
  InWorker(w, Between(0.1, 2), [this, w] { Act(w); });
  Worker& worker = workers_[w];
  const auto c = Reach();
  if (c && worker.id == 0 && worker.next_register <= now_) Register(w, *c);
  if (c && worker.id != 0 && !worker.waiting) Ask(w, *c);
  if (c && !worker.spool.empty()) {
    const Completion completion = worker.spool.back();
    worker.spool.pop_back();
    Complete(w, completion);
  }
  Work(w);
  if (c && !calm_ && worker.id != 0 && Chance(0.05)) Harass(w, *c);
}

void World::Beat(size_t w) {
  Worker& worker = workers_[w];
  const auto c = Reach();
  if (!c || worker.id == 0) {
    InWorker(w, kRetry, [this, w] { Beat(w); });
    return;
  }
  InWorker(w, kHeartbeat * (1 - 0.1 * absl::ToDoubleSeconds(Between(0, 1))),
           [this, w] { Beat(w); });
  std::vector<Renewal> renewals;
  std::vector<std::string> reported, tokens;
  std::vector<LeaseKey> keys;
  for (const HeldRun& held : worker.held) {
    renewals.push_back({held.key, {}});
    reported.push_back(held.key.token);
    keys.push_back(held.key);
  }
  absl::StatusOr<Renewed> renewed = absl::UnknownError("not run");
  Apply({.operation = Operation::kRenew, .keys = keys},
        [&] { renewed = store_.Renew(worker.id, worker.incarnation, renewals, kTtl); });
  if (!renewed.ok()) {
    worker.id = 0;
    return;
  }
  std::map<std::string, LeaseKey> held;
  for (const HeldLease& lease : renewed->held) {
    held[lease.key.token] = lease.key;
    tokens.push_back(lease.key.token);
  }
  std::vector<LeaseKey> give_back;
  for (const std::string& token : reported) {
    const auto lease = std::ranges::find_if(
        renewed->held, [&](const HeldLease& l) { return l.key.token == token; });
    if (lease == renewed->held.end()) {
      Drop(worker, token);
    } else if (lease->cancelling || renewed->releasing) {
      give_back.push_back(lease->key);
      Drop(worker, token);
    }
  }
  if (!give_back.empty()) Release(*c, give_back);
  std::vector<LeaseKey> forgotten;
  for (const std::string& token :
       coordinators_[*c].left_out->Observe(worker.id, tokens, reported)) {
    forgotten.push_back(held.at(token));
  }
  if (!forgotten.empty()) Release(*c, forgotten);
}

// Users and fate.

void World::Retry(int64_t sweep_id) {
  const auto c = Reach();
  if (!c) return;
  std::vector<State> states = {State::kFailed, State::kDiverged, State::kCancelled};
  if (Chance(0.7)) states.push_back(State::kSucceeded);
  store_.SetNow(now_ + database_offset_);
  store_.Settle(store_.OfRetrying(sweep_id, states));
  const Footprint footprint = store_.OfRetrying(sweep_id, states);
  if (footprint.runs.empty()) return;
  ApplySometime(*c, footprint, {.operation = Operation::kRetry, .sweep_id = sweep_id},
                [this, sweep_id, states, runs = footprint.runs] {
                  (void)store_.Retry(sweep_id, states, runs);
                  WakeAll();
                });
}

void World::UserActs() {
  if (calm_) return;
  In(Between(0, 4), [this] { UserActs(); });
  const auto c = Reach();
  if (!c) return;
  const int64_t sweep = 1 + Pick(static_cast<int64_t>(store_.sweeps().size()));
  const std::string worker =
      workers_[static_cast<size_t>(Pick(static_cast<int64_t>(workers_.size())))].name;
  const auto tell = [&](auto what) { Apply({.operation = Operation::kTell}, what); };
  const int64_t luck = Pick(100);
  if (luck < 35) {
    Retry(sweep);
  } else if (luck < 45) {
    Apply({.operation = Operation::kPause, .sweep_id = sweep}, [&] { (void)store_.Pause(sweep); });
  } else if (luck < 65) {
    ApplySometime(*c, store_.OfResuming(sweep),
                  {.operation = Operation::kResume, .sweep_id = sweep}, [this, sweep] {
                    (void)store_.Resume(sweep);
                    WakeAll();
                  });
  } else if (luck < 70) {
    Apply({.operation = Operation::kStop, .sweep_id = sweep}, [&] { (void)store_.Stop(sweep); });
  } else if (luck < 75) {
    Apply({.operation = Operation::kCancel, .sweep_id = sweep},
          [&] { (void)store_.Cancel(sweep); });
  } else if (luck < 78) {
    tell([&] { (void)store_.Cordon(worker); });
  } else if (luck < 80) {
    tell([&] { (void)store_.Drain(worker); });
  } else {
    tell([&] { (void)store_.Uncordon(worker); });
    WakeAll();
  }
}

void World::FateActs() {
  if (calm_) return;
  In(Between(0, 10), [this] { FateActs(); });
  const int64_t luck = Pick(100);
  const auto w = static_cast<size_t>(Pick(static_cast<int64_t>(workers_.size())));
  const auto c = static_cast<size_t>(Pick(static_cast<int64_t>(coordinators_.size())));
  if (luck < 40) {
    if (workers_[w].up) KillWorker(w);
  } else if (luck < 55) {
    workers_[w].frozen_until = std::max(workers_[w].frozen_until, now_ + Between(0, 60));
    workers_[w].prompt_since = workers_[w].frozen_until;
    Log({now_, {}, StrCat(workers_[w].name, " is suspended")});
  } else if (luck < 70) {
    if (coordinators_[c].up) KillCoordinator(c);
  } else if (luck < 76) {
    auto& until = coordinators_[c].suspended_until;
    until = std::max(until, now_ + Between(0, 100));
    Log({now_,
         {},
         StrCat("coordinator ", c, " is suspended until ",
                absl::FormatTime("%H:%M:%E3S", until, absl::UTCTimeZone()))});
  } else if (luck < 84) {
    jumped_ = now_;
    database_offset_ += Between(-45, 45);
    Log({now_,
         {},
         StrCat("the database's clock jumps to ", absl::FormatDuration(database_offset_))});
  } else if (luck < 90 && database_up_) {
    database_up_ = false;
    Log({now_, {}, "the database is away"});
    ++report_.outages;
    store_.Restart();
    for (Coordinator& coordinator : coordinators_) {
      coordinator.claim.reset();
      coordinator.claimed_for.clear();
      report_.rolled_back += static_cast<int64_t>(coordinator.open.size());
      coordinator.open.clear();
    }
    In(Between(0, Chance(0.3) ? 100 : 10), [this] {
      store_.SetNow(now_ + database_offset_);
      if (Chance(0.7)) store_.Restart();  // else the way to it was cut
      database_up_ = true;
      disturbed_ = now_;
      Log({now_, {}, "the database is back"});
    });
  }
}

void World::Calm() {
  calm_ = true;
  database_up_ = true;
  disturbed_ = now_;
  for (size_t c = 0; c < coordinators_.size(); ++c) {
    coordinators_[c].suspended_until = absl::InfinitePast();
    if (!coordinators_[c].up) StartCoordinator(c);
  }
  for (size_t w = 0; w < workers_.size(); ++w) {
    workers_[w].frozen_until = absl::InfinitePast();
    if (!workers_[w].up) StartWorker(w);
    Apply({.operation = Operation::kTell}, [&] { (void)store_.Uncordon(workers_[w].name); });
  }
  for (const auto& [id, sweep] : store_.sweeps()) {
    Apply({.operation = Operation::kResume, .sweep_id = id},
          [&, id = id] { (void)store_.Resume(id); });
  }
}

bool World::IsOver() const {
  return std::ranges::all_of(store_.runs(),
                             [](const ModelRun& run) { return run.state > State::kLeased; });
}

WorldReport World::Run() {
  const auto sweeps = 2 + Pick(3);
  for (int64_t i = 0; i < sweeps; ++i) {
    ModelSweep sweep;
    sweep.priority = static_cast<int>(Pick(2));
    sweep.max_parallel = Chance(0.5) ? static_cast<int>(1 + Pick(3)) : 0;
    sweep.max_attempts = static_cast<int>(1 + Pick(4));
    Apply({.operation = Operation::kAdd},
          [&] { store_.AddSweep(sweep, static_cast<int>(2 + Pick(8))); });
  }
  coordinators_.resize(static_cast<size_t>(1 + Pick(3)));
  for (size_t c = 0; c < coordinators_.size(); ++c) StartCoordinator(c);
  workers_.resize(static_cast<size_t>(2 + Pick(4)));
  for (size_t w = 0; w < workers_.size(); ++w) {
    workers_[w].name = StrCat("worker-", w);
    workers_[w].host = StrCat("host-", w);
    workers_[w].slots = static_cast<int>(1 + Pick(3));
    StartWorker(w);
  }
  In(Between(0, 5), [this] { UserActs(); });
  In(Between(0, 5), [this] { FateActs(); });
  reachable_since_ = reachable_last_ = now_;
  absl::Time calm_since = absl::InfiniteFuture();
  while (report_.faults.empty()) {
    if (!calm_ && report_.total >= options_.operations) {
      Calm();
      calm_since = now_;
    }
    if (calm_ && IsOver()) break;
    if (now_ - calm_since > kCalmLimit) {
      Fault("runs are not done, long after the faults have stopped");
      break;
    }
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    event.what();
    if (!IsReachable()) continue;
    if (now_ - reachable_last_ > kMoment) reachable_since_ = now_;
    reachable_last_ = now_;
  }
  if (!report_.faults.empty()) {
    for (const auto& [at, step, fate] : log_) {
      report_.last += StrCat(absl::FormatTime("%H:%M:%E3S", at, absl::UTCTimeZone()), " ",
                             fate.empty() ? NameOf(step.operation) : fate);
      if (step.sweep_id != 0) report_.last += StrCat(" sweep ", step.sweep_id);
      if (step.worker_id != 0) report_.last += StrCat(" worker ", step.worker_id);
      for (const LeaseKey& key : step.keys) {
        report_.last += StrCat(" run ", key.run_id, "/", ToHex(key.token.substr(0, 3)));
      }
      report_.last += "\n";
    }
  }
  return std::move(report_);
}

}  // namespace

WorldReport RunWorld(const WorldOptions& options) { return World(options).Run(); }

}  // namespace gridsweep::coordinator

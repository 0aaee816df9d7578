// What coordinators do, on simulated time: as matcher.h, dispatch_service.h and background.h do.
#include <algorithm>

#include "common/strings.h"
#include "tests/model/world_parts.h"

namespace gridsweep::coordinator {

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
        return held.key.token == key.token && now_ - held.since > 2 * kHeartbeat;
      });
      if (holds && worker.up && worker.id != 0 && now_ - worker.prompt_since > kTtl) {
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
  if (!database_up_) return coordinator.guard->Failed();
  const bool deaf = options_.mutation == Mutation::kClockJumpIsNoOutage;
  const bool guarded = coordinator.guard->MayExpire(
      Steady(now_), now_ + (deaf ? absl::ZeroDuration() : database_offset_));
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

}  // namespace gridsweep::coordinator

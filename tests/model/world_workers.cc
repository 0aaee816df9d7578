// What workers do, on simulated time.
#include <algorithm>

#include "common/strings.h"
#include "tests/model/world_parts.h"

namespace gridsweep::coordinator {

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

}  // namespace gridsweep::coordinator

#include "tests/model/world.h"

#include <algorithm>

#include "common/strings.h"
#include "tests/model/world_parts.h"

namespace gridsweep::coordinator {

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

void World::Apply(const Step& step, const std::function<void()>& body) {
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

WorldReport RunWorld(const WorldOptions& options) { return World(options).Run(); }

}  // namespace gridsweep::coordinator

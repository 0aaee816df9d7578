// What users do, and what happens to machines.
#include <algorithm>

#include "common/strings.h"
#include "tests/model/world_parts.h"

namespace gridsweep::coordinator {

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
  const auto tell = [&](const std::function<void()>& what) {
    Apply({.operation = Operation::kTell}, what);
  };
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

}  // namespace gridsweep::coordinator

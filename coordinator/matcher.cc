#include "coordinator/matcher.h"

#include <absl/time/clock.h>

#include <chrono>
#include <utility>

#include "common/log.h"
#include "coordinator/store/leases.h"

namespace gridsweep::coordinator {
namespace {

// A caller is not kept beyond its time for longer than this by a slow database.
constexpr absl::Duration kLongestClaim = absl::Seconds(5);

}  // namespace

Matcher::Matcher(Lane& lane, absl::Duration lease_ttl, absl::Duration poll)
    : lane_(lane), lease_ttl_(lease_ttl), poll_(poll), thread_([this] { Loop(); }) {}

Matcher::~Matcher() {
  Drain();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

absl::Time Matcher::EndOf(const Waiter& waiter) {
  return waiter.tried && !waiter.claiming ? waiter.deadline : waiter.deadline + kLongestClaim;
}

uint64_t Matcher::Wait(Demand demand, absl::Time deadline, Reply reply) {
  Reply replaced;
  uint64_t ticket = 0;
  bool draining = false;
  {
    MutexLock lock(mutex_);
    ticket = next_ticket_++;
    draining = draining_;
    if (!draining) {
      for (auto it = waiters_.begin(); it != waiters_.end(); ++it) {
        if (it->second.demand.worker_id != demand.worker_id ||
            it->second.demand.request_id != demand.request_id) {
          continue;
        }
        replaced = std::move(it->second.reply);
        waiters_.erase(it);
        break;
      }
      waiters_.emplace(ticket, Waiter{std::move(demand), deadline, std::move(reply)});
      work_ = true;
    }
  }
  changed_.notify_all();
  if (replaced) replaced(Claimed());
  if (draining) reply(Claimed());
  return ticket;
}

Matcher::Reply Matcher::Take(uint64_t ticket) {
  MutexLock lock(mutex_);
  const auto found = waiters_.find(ticket);
  if (found == waiters_.end()) return nullptr;
  Reply reply = std::move(found->second.reply);
  waiters_.erase(found);
  return reply;
}

void Matcher::Cancel(uint64_t ticket) {
  if (Reply reply = Take(ticket)) reply(absl::CancelledError("the caller has gone"));
}

void Matcher::Wake(const NewWork& work) {
  {
    MutexLock lock(mutex_);
    work_ = reason_.room_appeared = true;
    reason_.work.Add(work);
  }
  changed_.notify_all();
}

void Matcher::RoomAppeared() {
  {
    MutexLock lock(mutex_);
    work_ = reason_.room_appeared = true;
  }
  changed_.notify_all();
}

void Matcher::Drain() {
  std::map<uint64_t, Waiter> waiters;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    waiters.swap(waiters_);
  }
  for (auto& [ticket, waiter] : waiters) waiter.reply(Claimed());
}

void Matcher::Release(const std::vector<LeaseKey>& keys) {
  if (keys.empty()) return;
  const bool queued = lane_.Submit([this, keys](Database& database) { GiveBack(database, keys); });
  if (!queued)
    spdlog::warn("cannot release undelivered leases; they will expire: the lane is full");
}

void Matcher::GiveBack(Database& database, const std::vector<LeaseKey>& keys) {
  const auto released = ReleaseLeases(database, keys, "the caller had gone");
  if (!released.ok()) {
    spdlog::warn("cannot release undelivered leases; they will expire: {}",
                 std::string(released.status().message()));
    return;
  }
  Wake(WorkOf(*released));
}

void Matcher::Loop() {
  absl::Time next_poll = absl::Now() + poll_;
  for (;;) {
    std::vector<Reply> timed_out;
    bool claim = false;
    {
      MutexLock lock(mutex_);
      absl::Time until = next_poll;
      for (const auto& [ticket, waiter] : waiters_) until = std::min(until, EndOf(waiter));
      const bool can_claim = work_ && !claiming_ && !waiters_.empty();
      if (!stopping_ && !can_claim && until > absl::Now()) {
        changed_.wait_for(mutex_, absl::ToChronoNanoseconds(until - absl::Now()));
      }
      if (stopping_ && !claiming_) return;
      const absl::Time now = absl::Now();
      for (auto it = waiters_.begin(); it != waiters_.end();) {
        if (EndOf(it->second) > now) {
          ++it;
          continue;
        }
        timed_out.push_back(std::move(it->second.reply));
        it = waiters_.erase(it);
      }
      if (now >= next_poll) {
        work_ = reason_.work.anywhere = reason_.room_appeared = true;
        for (auto& [ticket, waiter] : waiters_) waiter.demand.known = false;
        next_poll = now + poll_;
      }
      if (work_ && !claiming_ && !waiters_.empty()) {
        claim = claiming_ = true;
        work_ = false;
      }
    }
    for (Reply& reply : timed_out) reply(Claimed());
    if (claim) StartClaim();
  }
}

void Matcher::StartClaim() {
  std::vector<uint64_t> tickets;
  std::vector<Demand> demands;
  ClaimReason reason;
  {
    MutexLock lock(mutex_);
    reason = std::exchange(reason_, {NewWork(), false});
    for (auto& [ticket, waiter] : waiters_) {
      waiter.claiming = true;
      tickets.push_back(ticket);
      demands.push_back(waiter.demand);
    }
  }
  const bool queued =
      lane_.Submit([this, tickets = std::move(tickets), demands = std::move(demands),
                    reason](Database& database) { Claim(database, tickets, demands, reason); });
  if (queued) return;
  MutexLock lock(mutex_);
  reason_ = {};
  for (auto& [ticket, waiter] : waiters_) waiter.claiming = false;
  claiming_ = false;  // the next poll tries again
}

void Matcher::Claim(Database& database, const std::vector<uint64_t>& tickets,
                    const std::vector<Demand>& demands, const ClaimReason& reason) {
  auto claimed = ClaimRuns(database, demands, lease_ttl_, memory_, reason);
  if (!claimed.ok()) {
    // They go on waiting: the database may be back before their time is up.
    spdlog::warn("cannot claim runs: {}", std::string(claimed.status().message()));
  } else {
    std::vector<LeaseKey> undelivered;
    for (size_t i = 0; i < tickets.size(); ++i) {
      Claimed& mine = (*claimed)[i];
      if (mine.registered && mine.grants.empty() && mine.directive == v1::WORKER_DIRECTIVE_RUN) {
        continue;  // waits on
      }
      if (Reply reply = Take(tickets[i])) {
        if (mine.registered) {
          reply(std::move(mine));
        } else {
          reply(WithReason(absl::FailedPreconditionError(
                               "the worker is unknown, or a newer process has its name: register"),
                           "NOT_REGISTERED"));
        }
        continue;
      }
      for (const Grant& grant : mine.grants) undelivered.push_back(grant.key);
    }
    if (!undelivered.empty()) GiveBack(database, undelivered);
  }
  {
    // Notified under the lock: once it sees the flag, the destructor may finish.
    MutexLock lock(mutex_);
    for (size_t i = 0; i < tickets.size(); ++i) {
      const auto found = waiters_.find(tickets[i]);
      if (found == waiters_.end()) continue;
      found->second.claiming = false;
      found->second.tried = true;
      if (!claimed.ok()) continue;
      found->second.demand.known = (*claimed)[i].registered;
      found->second.demand.resource_class = (*claimed)[i].resource_class;
    }
    claiming_ = false;
    changed_.notify_all();
  }
}

}  // namespace gridsweep::coordinator

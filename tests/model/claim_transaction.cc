#include <algorithm>

#include "tests/model/memory_lease_store.h"

namespace gridsweep::coordinator {

ClaimTransaction::ClaimTransaction(MemoryLeaseStore& store, std::vector<Demand> demands,
                                   absl::Duration ttl, QueueFloor* floor, absl::Time clock)
    : store_(store), demands_(std::move(demands)), ttl_(ttl), floor_(floor), clock_(clock) {
  ticket_ = store_.Hold({}, [] {});
  store_.open_.at(ticket_).statements_follow = true;
}

ClaimTransaction::~ClaimTransaction() { store_.Rollback(ticket_); }

void ClaimTransaction::OnWaited(std::function<void()> done) {
  store_.open_.at(ticket_).done = std::move(done);
}

int64_t ClaimTransaction::From(int64_t sweep_id) const {
  return floor_ == nullptr || looked_from_zero_ ? 0 : floor_->From({sweep_id, 0});
}

// What the request ids hold already, who may have more, and what there is.
void ClaimTransaction::Begin() {
  begun_ = true;
  looked_from_zero_ = false;
  taken_.clear();
  slots_.clear();
  store_.open_.at(ticket_).footprint = {};
  claimed_.assign(demands_.size(), {});
  for (size_t i = 0; i < demands_.size(); ++i) {
    const Demand& demand = demands_[i];
    const auto worker = store_.workers_.find(demand.worker_id);
    if (worker != store_.workers_.end() && worker->second.incarnation == demand.incarnation) {
      claimed_[i].registered = true;
      claimed_[i].directive = worker->second.directive;
    }
    for (size_t r = 0; r < store_.runs_.size(); ++r) {
      const ModelRun& run = store_.runs_[r];
      if (run.lease && run.lease->worker_id == demand.worker_id &&
          run.lease->incarnation == demand.incarnation &&
          run.lease->request_id == demand.request_id) {
        Grant grant;
        grant.key = {static_cast<int64_t>(r) + 1, run.lease->token};
        grant.attempt = run.attempt;
        grant.sweep_id = run.sweep_id;
        claimed_[i].grants.push_back(std::move(grant));
      }
    }
  }
  for (int round = 0;; ++round) {
    const size_t before = slots_.size();
    for (size_t i = 0; i < demands_.size(); ++i) {
      if (claimed_[i].registered && claimed_[i].directive == v1::WORKER_DIRECTIVE_RUN &&
          claimed_[i].grants.empty() && round < demands_[i].max_runs) {
        slots_.push_back(i);
      }
    }
    if (slots_.size() == before) break;
  }
  if (!slots_.empty()) Look(floor_ == nullptr || floor_->RescanDue(clock_, false));
}

void ClaimTransaction::Look(bool from_zero) {
  if (store_.mutation_ == Mutation::kFloorWithoutRescan) from_zero = floor_ == nullptr;
  looked_from_zero_ = from_zero;
  candidates_.clear();
  std::map<Queue, int64_t> first;
  for (const auto& [id, sweep] : store_.sweeps_) {
    if (sweep.cancelled) continue;
    int64_t lowest = -1;
    for (const int64_t run_id : store_.RunsOf(id, {State::kPending})) {
      const int64_t position = store_.FindRun(run_id)->queue_pos;
      if (position >= From(id) && (lowest < 0 || position < lowest)) lowest = position;
    }
    if (lowest < 0) continue;
    first[{id, 0}] = lowest;
    candidates_.push_back({id, sweep.priority, sweep.max_parallel, store_.CountLeases(id)});
  }
  if (from_zero && floor_ != nullptr) floor_->Rescanned(clock_, clock_, first);
}

std::map<size_t, std::vector<size_t>> ClaimTransaction::Share() {
  std::map<size_t, std::vector<size_t>> shares;
  while (!slots_.empty()) {
    const Candidate* best = nullptr;
    int64_t best_leased = 0;
    size_t place = 0;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const Candidate& c = candidates_[i];
      const int64_t leased =
          c.leased + (shares.contains(i) ? static_cast<int64_t>(shares.at(i).size()) : 0);
      if (c.exhausted || (c.max_parallel > 0 && leased >= c.max_parallel)) continue;
      if (best != nullptr && (c.priority < best->priority ||
                              (c.priority == best->priority && leased >= best_leased))) {
        continue;
      }
      best = &c;
      best_leased = leased;
      place = i;
    }
    if (best == nullptr) break;
    shares[place].push_back(slots_.front());
    slots_.erase(slots_.begin());
  }
  return shares;
}

bool ClaimTransaction::Take(Candidate& sweep, const std::vector<size_t>& slots) {
  int share = static_cast<int>(slots.size());
  auto& footprint = store_.open_.at(ticket_).footprint;
  if (sweep.max_parallel > 0 && store_.mutation_ != Mutation::kLimitWithoutLock) {
    Footprint lock;
    lock.limited = {sweep.sweep_id};
    if (!store_.Wait(lock, ticket_)) return false;
    store_.open_.at(ticket_).footprint.limited.push_back(sweep.sweep_id);
    sweep.leased =
        store_.CountLeases(sweep.sweep_id) + std::ranges::count_if(taken_, [&](const Taken& taken) {
          return store_.FindRun(taken.run_id)->sweep_id == sweep.sweep_id;
        });
    share = static_cast<int>(
        std::min<int64_t>(share, std::max<int64_t>(0, sweep.max_parallel - sweep.leased)));
  }
  auto runs = store_.RunsOf(sweep.sweep_id, {State::kPending});
  std::erase_if(runs, [&](int64_t id) {
    const bool own = std::ranges::any_of(taken_, [&](const Taken& t) { return t.run_id == id; });
    return store_.FindRun(id)->queue_pos < From(sweep.sweep_id) || own ||
           (store_.IsLocked(id) && store_.mutation_ != Mutation::kClaimOfLockedRows);
  });
  std::ranges::sort(runs, {}, [&](int64_t id) { return store_.FindRun(id)->queue_pos; });
  const int n = std::min<int>(share, static_cast<int>(runs.size()));
  if (n > 0 && floor_ != nullptr) {
    floor_->Claimed({sweep.sweep_id, 0}, store_.FindRun(runs[0])->queue_pos);
  }
  for (int i = 0; i < n; ++i) {
    const Demand& demand = demands_[slots[static_cast<size_t>(i)]];
    taken_.push_back({runs[static_cast<size_t>(i)],
                      slots[static_cast<size_t>(i)],
                      {store_.NewToken(), demand.incarnation, demand.request_id, demand.worker_id,
                       store_.now_ + ttl_, false}});
    footprint.runs.push_back(runs[static_cast<size_t>(i)]);
  }
  // Those that got nothing are in front again.
  slots_.insert(slots_.begin(), slots.begin() + n, slots.end());
  sweep.leased += n;
  sweep.exhausted |= n < share || share <= 0;
  return true;
}

bool ClaimTransaction::Step() {
  if (!begun_) {
    Begin();
    return true;
  }
  if (slots_.empty() && shares_.empty()) return false;
  if (shares_.empty()) shares_ = Share();
  if (shares_.empty()) {
    const bool look = taken_.empty() && !looked_from_zero_ && floor_ != nullptr &&
                      floor_->RescanDue(clock_, true) &&
                      store_.mutation_ != Mutation::kFloorWithoutRescan;
    if (look) Look(true);
    return look;
  }
  const auto [place, slots] = *shares_.begin();
  shares_.erase(shares_.begin());
  if (!Take(candidates_[place], slots)) {
    begun_ = false;  // rolled back: what it held is free
    shares_.clear();
    taken_.clear();
    store_.open_.at(ticket_).footprint = {};
  }
  return true;
}

std::optional<std::vector<Claimed>> ClaimTransaction::Finish() {
  for (bool more = true; more;) {
    more = Step();
    if (!begun_) return std::nullopt;
  }
  for (const Taken& taken : taken_) {
    ModelRun& run = *store_.FindRun(taken.run_id);
    run.state = State::kLeased;
    run.lease = taken.lease;
    Grant grant;
    grant.key = {taken.run_id, taken.lease.token};
    grant.attempt = ++run.attempt;
    grant.sweep_id = run.sweep_id;
    claimed_[taken.demand].grants.push_back(std::move(grant));
  }
  store_.Rollback(ticket_);  // lets go of the locks
  return std::move(claimed_);
}

}  // namespace gridsweep::coordinator

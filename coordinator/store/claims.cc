#include "coordinator/store/claims.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace gridsweep::coordinator {
namespace {

constexpr size_t kMostGrants = 256;  // of one round
// Like runs are looked for among so many places of a queue from its first claimable run on; so no
// run is passed over for longer than it takes to give away that many.
constexpr int kShapeWindow = 64;
// Counts of leases are read so often while that is quick, else kCountSlowly.
constexpr absl::Duration kCountEvery = absl::Milliseconds(200);
constexpr absl::Duration kQuickCount = absl::Milliseconds(2);
constexpr absl::Duration kCountSlowly = absl::Seconds(5);

// Of the demands given as arrays: those of registered workers (their place, from 1).
constexpr Statement kRegistered{"find_demands_of_registered_workers", R"(
  select d.place, w.directive, case w.resource_class when 'cpu' then 1 when 'gpu' then 2 else 0 end
  from unnest($1::bigint[], $2::bytea[]) with ordinality as d(worker, incarnation, place)
  cross join lateral (select * from workers where worker_id = d.worker offset 0) w
  where w.incarnation = d.incarnation)"};

constexpr Statement kGrantedBefore{"find_grants_of_requests", R"(
  select d.place, l.run_id, l.token, l.attempt, l.sweep_id, r.config::text, r.config_hash,
         r.shape_key, extract(epoch from s.checkpoint_interval), c.step, c.size, c.sha256,
         c.numerics_id, c.science_version
  from unnest($1::bigint[], $2::bytea[], $3::bytea[]) with ordinality
         as d(worker, incarnation, request, place)
  cross join lateral (select * from leases where worker_id + 0 = d.worker
                      and request_id = d.request offset 0) l
  join runs r using (run_id) join sweeps s on s.sweep_id = l.sweep_id
  left join checkpoints c using (run_id)
  where l.incarnation = d.incarnation
  order by l.run_id)"};

// Each queue that has a claimable run, with its first place: by leaps through the index.
constexpr Statement kRescan{"rescan_queues", R"(
  with recursive q as (
    (select sweep_id, class, queue_pos from run_state where state = 0
     order by sweep_id, class, queue_pos limit 1)
    union all
    select n.* from q cross join lateral (
      select r.sweep_id, r.class, r.queue_pos from run_state r
      where r.state = 0 and (r.sweep_id, r.class) > (q.sweep_id, q.class)
      order by r.sweep_id, r.class, r.queue_pos limit 1) n)
  select s.sweep_id, q.class, s.priority, s.max_parallel, s.submitted_by, s.memory_bytes,
         s.one_shape, q.queue_pos
  from q join sweeps s using (sweep_id) where q.class >= 0 and s.cancelled_at is null)"};

// Of the queues given: those that have a claimable run from their floor on. And all sweeps newer
// than $4, and those in $5. Looked up one by one, however many sweeps there are.
constexpr Statement kProbe{"probe_queues", R"(
  select s.sweep_id, case s.resource_class when 'cpu' then 1 when 'gpu' then 2 else 0 end,
         s.priority, s.max_parallel, s.submitted_by, s.memory_bytes, s.one_shape
  from (select k.sweep_id
        from unnest($1::int[], $2::smallint[], $3::bigint[]) as k(sweep_id, class, floor)
        cross join lateral (select from run_state r
                            where r.sweep_id = k.sweep_id and r.class = k.class and r.state = 0
                              and r.queue_pos >= k.floor limit 1) r
        union select sweep_id from sweeps where sweep_id > $4::bigint
        union select unnest($5::int[])) f
  cross join lateral (select * from sweeps where sweeps.sweep_id = f.sweep_id offset 0) s
  where s.cancelled_at is null)"};

constexpr Statement kCountLeases{"count_leases_by_sweep", R"(
  select l.sweep_id, s.submitted_by, l.n
  from (select sweep_id, count(*) as n from leases group by 1) l join sweeps s using (sweep_id))"};

constexpr Statement kLockLimited{"lock_limited_sweeps", R"(
  select sweep_id, max_parallel from sweeps where sweep_id = any($1::int[])
  order by sweep_id for no key update)"};
constexpr Statement kCountLeased{
    "count_leases_of_sweeps",
    "select sweep_id, count(*) from leases where sweep_id = any($1::int[]) group by 1"};

// From each of the queues $1 to $3 (sweep, class, floor) $4 runs, chosen among the first $5; those
// like $6 first, or like the first where that is null. The j-th run of the i-th queue goes to
// the demand ($9 to $11) that has i in $7 and j in $8. Ids are looked up from arrays, not joined:
// a plan is made once, and must stay one of single look-ups however many runs there are.
constexpr Statement kClaim{"claim_runs", R"(
  with c as materialized (
    select q.entry, q.n, q.seen, q.prefer, r.run_id, r.queue_pos
    from unnest($1::int[], $2::smallint[], $3::bigint[], $4::int[], $5::int[], $6::bytea[])
           with ordinality as q(sweep_id, class, floor, n, seen, prefer, entry)
    cross join lateral (
      select s.run_id, s.queue_pos from run_state s
      where s.sweep_id = q.sweep_id and s.class = q.class and s.state = 0
        and s.queue_pos >= q.floor
      order by s.queue_pos limit q.seen for update skip locked) r),
  k as (select c.*, min(queue_pos) over (partition by entry) as first_pos,
          case when seen > n then (select r.shape_key from runs r where r.run_id = c.run_id) end
            as shape_key
        from c),
  l as (select k.*, queue_pos < first_pos + $12::int and shape_key = coalesce(prefer,
          first_value(shape_key) over (partition by entry order by queue_pos)) as liked
        from k),
  p as materialized (
    select run_id, entry, n, first_pos, row_number() over (
      partition by entry order by coalesce(liked, false) desc, queue_pos) as place from l),
  u as (update run_state s set state = 3, attempt = s.attempt + 1, changed_at = clock_timestamp()
        where s.run_id = any(array(select run_id from p where place <= n))
        returning s.run_id, s.sweep_id, s.class, s.attempt),
  g as (insert into leases (run_id, sweep_id, class, token, attempt, worker_id, incarnation,
            request_id, granted_at, expires_at)
        select u.run_id, u.sweep_id, u.class, gen_random_uuid(), u.attempt, d.worker,
               d.incarnation, d.request, clock_timestamp(),
               clock_timestamp() + $13::float8 * interval '1 second'
        from u join p using (run_id)
        join unnest($7::int[], $8::int[], $9::bigint[], $10::bytea[], $11::bytea[])
               as d(entry, place, worker, incarnation, request) using (entry, place)
        returning run_id, token, attempt, sweep_id)
  select p.place, g.run_id, g.token, g.attempt, g.sweep_id, r.config::text, r.config_hash,
         r.shape_key, extract(epoch from s.checkpoint_interval), t.step, t.size, t.sha256,
         t.numerics_id, t.science_version, p.entry, p.first_pos
  from g join p using (run_id) join sweeps s on s.sweep_id = g.sweep_id
  cross join lateral (select * from runs where runs.run_id = g.run_id offset 0) r
  left join lateral (select * from checkpoints k where k.run_id = g.run_id offset 0) t on true
  order by p.entry, p.place)"};

Grant ReadGrant(const pqxx::row& row) {
  Grant grant{.key = {row[1].as<int64_t>(), FromUuid(row[2])},
              .attempt = row[3].as<int>(),
              .sweep_id = row[4].as<int64_t>(),
              .config_json = row[5].c_str(),
              .config_hash = FromBytea(row[6]),
              .shape_key = FromBytea(row[7]),
              .checkpoint = std::nullopt,
              .checkpoint_interval = std::nullopt};
  if (!row[8].is_null()) grant.checkpoint_interval = absl::Seconds(row[8].as<double>());
  if (!row[9].is_null()) {
    v1::CheckpointRef& checkpoint = grant.checkpoint.emplace();
    checkpoint.set_step(row[9].as<uint64_t>());
    checkpoint.set_size(row[10].as<uint64_t>());
    checkpoint.set_sha256(FromBytea(row[11]));
    checkpoint.set_numerics_id(row[12].c_str());
    checkpoint.set_science_version(row[13].as<uint32_t>());
  }
  return grant;
}

SweepInQueue ReadSweep(const pqxx::row& row) {
  return {.queue = {row[0].as<int64_t>(), row[1].as<int>()},
          .priority = row[2].as<int>(),
          .max_parallel = row[3].as<int64_t>(),
          .submitted_by = row[4].c_str(),
          .memory_bytes = row[5].as<uint64_t>(),
          .one_shape = row[6].as<bool>()};
}

class Claim {
 public:
  Claim(Transaction& t, const std::vector<Demand>& demands, absl::Duration ttl, ClaimMemory& memory,
        const ClaimReason& reason)
      : t_(t),
        demands_(demands),
        ttl_(ttl),
        memory_(memory),
        reason_(reason),
        claimed_(demands.size()),
        free_memory_(demands.size()) {}

  std::vector<Claimed> Run() {
    LookUp();
    Enlist();
    if (!slots_.empty()) Look();
    bool rescanned = false;
    while (!slots_.empty()) {
      std::vector<Portion> plan = Plan();
      if (!plan.empty()) {
        if (VerifyKnown(plan)) Take(plan);
        continue;
      }
      // Who has been served may go; the others are not told that there is nothing unless
      // everything has been looked at.
      if (granted_ > 0 || rescanned || !memory_.floor.RescanDue(absl::Now(), true)) break;
      Rescan();
      rescanned = true;
    }
    return std::move(claimed_);
  }

 private:
  // Runs to take from one sweep, each for a slot.
  struct Portion {
    SweepInQueue sweep;
    std::vector<size_t> slots;  // places in `demands_`
  };

  // Looks up the demands that are not known, and hands out again what their requests hold.
  void LookUp() {
    std::vector<size_t> places;
    for (size_t i = 0; i < demands_.size(); ++i) {
      if (demands_[i].known) {
        claimed_[i].registered = true;
        claimed_[i].resource_class = demands_[i].resource_class;
      } else {
        places.push_back(i);
      }
    }
    LookUp(places);
  }
  void LookUp(const std::vector<size_t>& places) {
    if (places.empty()) return;
    Params workers, incarnations, requests;
    for (const size_t i : places) {
      claimed_[i] = {};
      verified_.insert(i);
      const Demand& d = demands_[i];
      workers.emplace_back(d.worker_id);
      incarnations.push_back(Bytea(d.incarnation));
      requests.push_back(Bytea(d.request_id));
    }
    const Param worker_array = Array(workers), incarnation_array = Array(incarnations);
    for (const auto& row :
         t_.Exec(kGrantedBefore, {worker_array, incarnation_array, Array(requests)})) {
      claimed_[places[row[0].as<size_t>() - 1]].grants.push_back(ReadGrant(row));
    }
    for (const auto& row : t_.Exec(kRegistered, {worker_array, incarnation_array})) {
      Claimed& claimed = claimed_[places[row[0].as<size_t>() - 1]];
      claimed.registered = true;
      claimed.directive = static_cast<v1::WorkerDirective>(row[1].as<int>());
      claimed.resource_class = row[2].as<int>();
    }
  }

  bool MayGet(size_t i) const {
    return claimed_[i].registered && claimed_[i].directive == v1::WORKER_DIRECTIVE_RUN;
  }

  // One slot for each run that may be granted; demands take turns.
  void Enlist() {
    for (int round = 0;; ++round) {
      bool any = false;
      for (size_t i = 0; i < demands_.size(); ++i) {
        if (!MayGet(i) || !claimed_[i].grants.empty() || round >= demands_[i].max_runs) continue;
        slots_.push_back(i);
        any = true;
      }
      if (!any) break;
    }
    for (size_t i = 0; i < demands_.size(); ++i) {
      free_memory_[i] = demands_[i].free_memory == 0 ? UINT64_MAX : demands_[i].free_memory;
    }
  }

  // Brings the memory up to date, as far as there is reason to.
  void Look() {
    if (memory_.floor.RescanDue(absl::Now(), reason_.work.anywhere)) {
      Rescan();
    } else if (reason_.work.any()) {
      Probe();
    }
    const absl::Duration since = absl::Now() - memory_.counted;
    if (!memory_.share.offers_any()) return;
    if (since < absl::ZeroDuration() ||
        since >= (memory_.count_took < kQuickCount ? kCountEvery : kCountSlowly) ||
        (reason_.room_appeared && memory_.share.offers_limited())) {
      Count();
    }
  }

  void Rescan() {
    const absl::Time began = absl::Now();
    std::map<Queue, int64_t> first;
    memory_.share.ExhaustAll();
    for (const auto& row : t_.Exec(kRescan)) {
      SweepInQueue sweep = ReadSweep(row);
      first[sweep.queue] = row[7].as<int64_t>();
      memory_.newest_sweep = std::max(memory_.newest_sweep, sweep.queue.sweep_id);
      memory_.share.Offer(std::move(sweep));
    }
    memory_.floor.Rescanned(began, absl::Now(), first);
    for (const Queue& queue : memory_.share.ForgetIdle()) memory_.floor.Forget(queue);
    if (memory_.counted == absl::InfinitePast()) Count();
  }

  void Probe() {
    Params sweeps, classes, floors, unknown;
    for (const int64_t id : reason_.work.sweeps) {
      if (!memory_.share.knows(id)) unknown.emplace_back(id);
    }
    for (const Queue& queue : memory_.share.exhausted()) {
      if (!reason_.work.anywhere && !reason_.work.sweeps.contains(queue.sweep_id)) continue;
      sweeps.emplace_back(queue.sweep_id);
      classes.emplace_back(queue.resource_class);
      floors.emplace_back(memory_.floor.From(queue));
    }
    for (const auto& row :
         t_.Exec(kProbe, {Array(sweeps), Array(classes), Array(floors), memory_.newest_sweep,
                          Array(unknown)})) {
      SweepInQueue sweep = ReadSweep(row);
      memory_.newest_sweep = std::max(memory_.newest_sweep, sweep.queue.sweep_id);
      memory_.share.Offer(std::move(sweep));
    }
  }

  void Count() {
    const absl::Time began = absl::Now();
    std::vector<FairShare::Leased> leased;
    for (const auto& row : t_.Exec(kCountLeases)) {
      leased.push_back({row[0].as<int64_t>(), row[1].c_str(), row[2].as<int64_t>()});
    }
    memory_.share.Counted(leased);
    memory_.counted = absl::Now();
    memory_.count_took = memory_.counted - began;
  }

  // Which sweeps serve the slots in front, each counted as granted. Slots that no sweep can serve
  // keep their places.
  std::vector<Portion> Plan() {
    std::map<int64_t, Portion> portions;
    std::map<int, uint64_t> nothing_for;  // by class: the largest free memory that found nothing
    std::deque<size_t> rest;
    size_t planned = 0;
    for (const size_t i : slots_) {
      const Room room{claimed_[i].resource_class, free_memory_[i]};
      const auto nothing = nothing_for.find(room.resource_class);
      const bool hopeless = nothing != nothing_for.end() && room.free_memory <= nothing->second;
      const SweepInQueue* sweep =
          planned == kMostGrants || hopeless ? nullptr : memory_.share.Pick(room);
      if (sweep == nullptr) {
        if (planned < kMostGrants && !hopeless) {
          nothing_for[room.resource_class] = room.free_memory;
        }
        rest.push_back(i);
        continue;
      }
      Portion& portion = portions[sweep->queue.sweep_id];
      if (portion.slots.empty()) portion.sweep = *sweep;
      portion.slots.push_back(i);
      if (room.free_memory != UINT64_MAX) free_memory_[i] -= sweep->memory_bytes;
      memory_.share.Granted(portion.sweep.queue.sweep_id, 1);
      ++planned;
    }
    slots_ = std::move(rest);
    std::vector<Portion> plan;
    for (auto& [id, portion] : portions) plan.push_back(std::move(portion));
    return plan;
  }

  // Puts slots that got nothing back in front.
  void Return(const Portion& portion, size_t from) {
    memory_.share.Granted(portion.sweep.queue.sweep_id,
                          -static_cast<int64_t>(portion.slots.size() - from));
    for (size_t j = portion.slots.size(); j > from; --j) {
      const size_t i = portion.slots[j - 1];
      if (free_memory_[i] != UINT64_MAX) free_memory_[i] += portion.sweep.memory_bytes;
      if (MayGet(i) && !(held_.contains(i))) slots_.push_front(i);
    }
  }

  // Looks up those that were taken for known; false, and the plan undone, when one of them is to
  // get nothing after all.
  bool VerifyKnown(const std::vector<Portion>& plan) {
    std::set<size_t> unverified;
    for (const Portion& portion : plan) {
      for (const size_t i : portion.slots) {
        if (!verified_.contains(i)) unverified.insert(i);
      }
    }
    LookUp({unverified.begin(), unverified.end()});
    bool all = true;
    for (const size_t i : unverified) {
      if (!claimed_[i].grants.empty()) held_.insert(i);
      all = all && MayGet(i) && !held_.contains(i);
    }
    if (all) return true;
    std::erase_if(slots_, [&](size_t i) { return !MayGet(i) || held_.contains(i); });
    for (const Portion& portion : plan) Return(portion, 0);
    return false;
  }

  // The exact limit of those that have one: whoever else claims from them waits until this commits.
  void HoldLimited(std::vector<Portion>& plan) {
    Params ids;
    for (const Portion& portion : plan) {
      if (portion.sweep.max_parallel > 0) ids.emplace_back(portion.sweep.queue.sweep_id);
    }
    if (ids.empty()) return;
    std::map<int64_t, int64_t> limits, leased;
    for (const auto& row : t_.Exec(kLockLimited, {Array(ids)})) {
      limits[row[0].as<int64_t>()] = row[1].as<int64_t>();
    }
    for (const auto& row : t_.Exec(kCountLeased, {Array(ids)})) {
      leased[row[0].as<int64_t>()] = row[1].as<int64_t>();
    }
    for (Portion& portion : plan) {
      const int64_t id = portion.sweep.queue.sweep_id;
      const auto limit = limits.find(id);
      if (portion.sweep.max_parallel == 0) continue;
      const int64_t most = limit == limits.end() ? 0
                           : limit->second == 0  ? INT64_MAX
                                                 : std::max<int64_t>(0, limit->second - leased[id]);
      const auto keep =
          static_cast<size_t>(std::min<int64_t>(most, static_cast<int64_t>(portion.slots.size())));
      Return(portion, keep);
      portion.slots.resize(keep);
      memory_.share.Counted(id, leased[id] + static_cast<int64_t>(keep),
                            limit == limits.end() ? 0 : limit->second);
      if (limit == limits.end()) memory_.share.Exhausted(id);
    }
  }

  void Take(std::vector<Portion>& plan) {
    HoldLimited(plan);
    Params sweeps, classes, floors, counts, seen, prefers;
    Params entries, places, workers, incarnations, requests;
    int entry = 0;
    for (const Portion& portion : plan) {
      ++entry;
      const auto n = static_cast<int>(portion.slots.size());
      sweeps.emplace_back(portion.sweep.queue.sweep_id);
      classes.emplace_back(portion.sweep.queue.resource_class);
      floors.emplace_back(memory_.floor.From(portion.sweep.queue));
      counts.emplace_back(n);
      seen.emplace_back(portion.sweep.one_shape || n == 0 ? n : std::max(n, kShapeWindow));
      const std::string& prefer =
          n == 0 ? std::string() : demands_[portion.slots[0]].prefer_shape_key;
      prefers.push_back(prefer.empty() ? Param(std::nullopt) : Bytea(prefer));
      for (int place = 1; place <= n; ++place) {
        const Demand& d = demands_[portion.slots[place - 1]];
        entries.emplace_back(entry);
        places.emplace_back(place);
        workers.emplace_back(d.worker_id);
        incarnations.push_back(Bytea(d.incarnation));
        requests.push_back(Bytea(d.request_id));
      }
    }
    std::vector<size_t> taken(plan.size());
    if (!entries.empty()) {
      const pqxx::result rows =
          t_.Exec(kClaim, {Array(sweeps), Array(classes), Array(floors), Array(counts), Array(seen),
                           Array(prefers), Array(entries), Array(places), Array(workers),
                           Array(incarnations), Array(requests), kShapeWindow,
                           absl::ToDoubleSeconds(ttl_)});
      for (const auto& row : rows) {
        const size_t i = row[14].as<size_t>() - 1;
        claimed_[plan[i].slots[taken[i]++]].grants.push_back(ReadGrant(row));
        memory_.floor.Claimed(plan[i].sweep.queue, row[15].as<int64_t>());
        ++granted_;
      }
    }
    for (size_t i = 0; i < plan.size(); ++i) {
      if (taken[i] == plan[i].slots.size()) continue;
      memory_.share.Exhausted(plan[i].sweep.queue.sweep_id);
      Return(plan[i], taken[i]);
    }
  }

  Transaction& t_;
  const std::vector<Demand>& demands_;
  const absl::Duration ttl_;
  ClaimMemory& memory_;
  const ClaimReason& reason_;
  std::vector<Claimed> claimed_;
  std::vector<uint64_t> free_memory_;  // by demand, less what it got
  std::set<size_t> verified_;          // places in `demands_`, looked up in this claim
  std::set<size_t> held_;              // whose requests turned out to hold leases already
  std::deque<size_t> slots_;           // places in `demands_`
  int granted_ = 0;
};

}  // namespace

void NewWork::Add(const NewWork& other) {
  anywhere = anywhere || other.anywhere;
  sweeps.insert(other.sweeps.begin(), other.sweeps.end());
}

NewWork WorkOf(const std::vector<EndedLease>& ended) {
  NewWork work;
  for (const EndedLease& lease : ended) work.sweeps.insert(lease.sweep_id);
  return work;
}

absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl, ClaimMemory& memory,
                                               const ClaimReason& reason) {
  bool again = false;
  auto claimed = database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<Claimed>> {
    // What an aborted transaction has left there did not happen.
    if (std::exchange(again, true)) memory = {};
    return Claim(t, demands, ttl, memory, reason).Run();
  });
  if (!claimed.ok()) memory = {};
  return claimed;
}

absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl) {
  ClaimMemory memory;
  return ClaimRuns(database, demands, ttl, memory);
}

}  // namespace gridsweep::coordinator

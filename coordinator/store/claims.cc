#include "coordinator/store/claims.h"

#include <algorithm>
#include <deque>
#include <map>

namespace gridsweep::coordinator {
namespace {

// Of the demands given as arrays: those of registered workers (their place, from 1).
constexpr Statement kRegistered{"find_demands_of_registered_workers", R"(
  select d.place, w.directive from unnest($1::bigint[], $2::bytea[]) with ordinality as d(worker, incarnation, place)
  join workers w on w.worker_id = d.worker and w.incarnation = d.incarnation)"};

constexpr Statement kGrantedBefore{"find_grants_of_requests", R"(
  select d.place, l.run_id, l.token, l.attempt, l.sweep_id, r.config::text, r.config_hash,
         r.shape_key, extract(epoch from s.checkpoint_interval), c.step, c.size, c.sha256,
         c.numerics_id, c.science_version
  from unnest($1::bigint[], $2::bytea[], $3::bytea[]) with ordinality
         as d(worker, incarnation, request, place)
  join leases l on l.worker_id = d.worker and l.incarnation = d.incarnation
    and l.request_id = d.request
  join runs r using (run_id) join sweeps s on s.sweep_id = l.sweep_id
  left join checkpoints c using (run_id)
  order by l.run_id)"};

constexpr Statement kClaimable{"list_claimable_sweeps", R"(
  select s.sweep_id, s.priority, s.max_parallel, coalesce(l.n, 0)
  from sweeps s left join (select sweep_id, count(*) as n from leases group by 1) l using (sweep_id)
  where s.cancelled_at is null
    and exists (select from run_state r where r.sweep_id = s.sweep_id and r.class = 0 and r.state = 0)
  order by s.sweep_id)"};

constexpr Statement kLockLimited{
    "lock_limited_sweep", "select max_parallel from sweeps where sweep_id = $1 for no key update"};
constexpr Statement kCountLeased{"count_leases_of_sweep",
                                 "select count(*) from leases where sweep_id = $1"};

// The i-th run in the queue goes to the i-th element of the arrays.
constexpr Statement kClaim{"claim_runs", R"(
  with c as materialized (
    select run_id, queue_pos from run_state
    where sweep_id = $1 and class = 0 and state = 0
    order by queue_pos limit $2 for update skip locked),
  n as (select run_id, row_number() over (order by queue_pos) as place from c),
  u as (update run_state s set state = 3, attempt = s.attempt + 1, changed_at = clock_timestamp()
        from n where s.run_id = n.run_id
        returning s.run_id, s.sweep_id, s.class, s.attempt, n.place),
  g as (insert into leases (run_id, sweep_id, class, token, attempt, worker_id, incarnation,
            request_id, granted_at, expires_at)
        select u.run_id, u.sweep_id, u.class, gen_random_uuid(), u.attempt, d.worker,
               d.incarnation, d.request, clock_timestamp(),
               clock_timestamp() + $6::float8 * interval '1 second'
        from u join unnest($3::bigint[], $4::bytea[], $5::bytea[]) with ordinality
                 as d(worker, incarnation, request, place) using (place)
        returning run_id, token, attempt, sweep_id)
  select u.place, g.run_id, g.token, g.attempt, g.sweep_id, r.config::text, r.config_hash,
         r.shape_key, extract(epoch from s.checkpoint_interval), k.step, k.size, k.sha256,
         k.numerics_id, k.science_version
  from g join u using (run_id) join runs r using (run_id) join sweeps s on s.sweep_id = g.sweep_id
  left join checkpoints k using (run_id) order by u.place)"};

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

struct Candidate {
  int64_t sweep_id;
  int priority;
  int max_parallel;
  int64_t leased;
  bool exhausted = false;
};

// How many of `wanted` runs each candidate is to give: the highest priority
// that has any left, and there always to the one with fewest leased.
std::map<size_t, int> Share(const std::vector<Candidate>& candidates, int wanted) {
  std::map<size_t, int> shares;
  for (; wanted > 0; --wanted) {
    size_t best = candidates.size();
    for (size_t i = 0; i < candidates.size(); ++i) {
      const Candidate& c = candidates[i];
      const int64_t leased = c.leased + (shares.contains(i) ? shares[i] : 0);
      if (c.exhausted || (c.max_parallel > 0 && leased >= c.max_parallel)) continue;
      if (best == candidates.size()) {
        best = i;
        continue;
      }
      const Candidate& b = candidates[best];
      const int64_t best_leased = b.leased + (shares.contains(best) ? shares[best] : 0);
      if (c.priority > b.priority || (c.priority == b.priority && leased < best_leased)) best = i;
    }
    if (best == candidates.size()) break;
    ++shares[best];
  }
  return shares;
}

class Claim {
 public:
  Claim(Transaction& t, const std::vector<Demand>& demands, absl::Duration ttl)
      : t_(t), demands_(demands), ttl_(ttl), claimed_(demands.size()) {}

  std::vector<Claimed> Run() {
    Repeat();
    Enlist();
    std::vector<Candidate> candidates;
    if (!slots_.empty()) {
      for (const auto& row : t_.Exec(kClaimable)) {
        candidates.push_back(
            {row[0].as<int64_t>(), row[1].as<int>(), row[2].as<int>(), row[3].as<int64_t>()});
      }
    }
    while (!slots_.empty()) {
      const auto shares = Share(candidates, static_cast<int>(slots_.size()));
      if (shares.empty()) break;
      for (const auto& [i, share] : shares) Take(candidates[i], share);
    }
    return std::move(claimed_);
  }

 private:
  // Hands out again what a request holds already.
  void Repeat() {
    Params workers, incarnations, requests;
    for (const Demand& d : demands_) {
      workers.emplace_back(d.worker_id);
      incarnations.push_back(Bytea(d.incarnation));
      requests.push_back(Bytea(d.request_id));
    }
    for (const auto& row :
         t_.Exec(kGrantedBefore, {Array(workers), Array(incarnations), Array(requests)})) {
      claimed_[row[0].as<size_t>() - 1].grants.push_back(ReadGrant(row));
    }
    for (const auto& row : t_.Exec(kRegistered, {Array(workers), Array(incarnations)})) {
      Claimed& claimed = claimed_[row[0].as<size_t>() - 1];
      claimed.registered = true;
      claimed.directive = static_cast<v1::WorkerDirective>(row[1].as<int>());
    }
  }

  // One slot for each run that may be granted; demands take turns.
  void Enlist() {
    for (int round = 0;; ++round) {
      bool any = false;
      for (size_t i = 0; i < demands_.size(); ++i) {
        const Claimed& claimed = claimed_[i];
        if (!claimed.registered || claimed.directive != v1::WORKER_DIRECTIVE_RUN ||
            !claimed.grants.empty() || round >= demands_[i].max_runs) {
          continue;
        }
        slots_.push_back(i);
        any = true;
      }
      if (!any) return;
    }
  }

  void Take(Candidate& sweep, int share) {
    if (sweep.max_parallel > 0) {
      const pqxx::result locked = t_.Exec(kLockLimited, {sweep.sweep_id});
      sweep.max_parallel = locked[0][0].as<int>();
      sweep.leased = t_.Exec(kCountLeased, {sweep.sweep_id})[0][0].as<int64_t>();
      if (sweep.max_parallel > 0) {
        share = static_cast<int>(
            std::min<int64_t>(share, std::max<int64_t>(0, sweep.max_parallel - sweep.leased)));
      }
    }
    if (share <= 0) {
      sweep.exhausted = true;
      return;
    }
    Params workers, incarnations, requests;
    for (int i = 0; i < share; ++i) {
      const Demand& d = demands_[slots_[i]];
      workers.emplace_back(d.worker_id);
      incarnations.push_back(Bytea(d.incarnation));
      requests.push_back(Bytea(d.request_id));
    }
    const pqxx::result rows =
        t_.Exec(kClaim, {sweep.sweep_id, share, Array(workers), Array(incarnations),
                         Array(requests), absl::ToDoubleSeconds(ttl_)});
    for (const auto& row : rows) {
      claimed_[slots_[row[0].as<size_t>() - 1]].grants.push_back(ReadGrant(row));
    }
    const auto taken = static_cast<int>(rows.size());
    slots_.erase(slots_.begin(), slots_.begin() + taken);
    sweep.leased += taken;
    if (taken < share) sweep.exhausted = true;
  }

  Transaction& t_;
  const std::vector<Demand>& demands_;
  const absl::Duration ttl_;
  std::vector<Claimed> claimed_;
  std::deque<size_t> slots_;  // places in `demands_`
};

}  // namespace

absl::StatusOr<std::vector<Claimed>> ClaimRuns(Database& database,
                                               const std::vector<Demand>& demands,
                                               absl::Duration ttl) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<Claimed>> {
    return Claim(t, demands, ttl).Run();
  });
}

}  // namespace gridsweep::coordinator

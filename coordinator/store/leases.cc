#include "coordinator/store/leases.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

// Holds up whoever pauses, stops or cancels one of the leases' sweeps, and waits
// for one who is at it: the end of a lease finds the sweep as it stands.
constexpr Statement kHoldSweeps{"hold_sweeps_of_leases", R"(
  select 1 from sweeps where sweep_id in (
    select l.sweep_id from leases l
    join unnest($1::bigint[], $2::uuid[]) as k(run_id, token) using (run_id, token))
  order by sweep_id for key share)"};

// Ends leases: one row of `attempts` each, the run back into the queue, into a
// pause, PAUSED, FAILED or CANCELLED. $1, $2: run ids and tokens; $3: outcome; $4:
// whether it counts as a failure; $5: error; $6: their logs; $7: pause in seconds.
constexpr Statement kEnd{"end_leases", R"(
  with gone as (
    delete from leases l using unnest($1::bigint[], $2::uuid[], $6::text[]) as k(run_id, token, log)
    where l.run_id = k.run_id and l.token = k.token returning l.*, k.log),
  judged as (
    select g.*, w.name as worker, w.host, s.max_attempts, coalesce(c.step, 0) as checkpoint_step,
           extract(epoch from clock_timestamp() - greatest(g.granted_at, c.saved_at)) as wasted,
           g.cancelling or s.cancelled_at is not null as cancelled,
           s.stopped_at is not null as stopped, s.paused_at is not null as paused,
           $4::bool or ($3 = 'lost' and 4 = (select count(*) from (
             select a.outcome, a.checkpoint_step as step from attempts a where a.run_id = g.run_id
             order by a.attempt desc limit 4) last
             where last.outcome = 'lost' and last.step = coalesce(c.step, 0))) as failed
    from gone g join workers w using (worker_id) join sweeps s using (sweep_id)
    left join checkpoints c using (run_id)),
  a as (
    insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at, outcome,
                          error, log_tail, counted, checkpoint_step, wasted_seconds)
    select run_id, attempt, token, worker_id, worker, host, granted_at,
           case when cancelled and not failed then 'cancelled' else $3 end, $5, log, failed,
           checkpoint_step, case when cancelled then 0 else wasted end from judged)
  update run_state r
  set failures = r.failures + j.failed::int,
      state = case when j.cancelled or j.stopped then 7
                   when j.failed and r.failures + 1 >= j.max_attempts then 6
                   when j.paused then 2
                   when j.failed then 1
                   else 0 end,
      queue_pos = nextval('queue_pos_seq'),
      not_before = case when j.failed then clock_timestamp() + interval '1 second' *
        least(600, $7::float8 * power(2, least(r.failures, 20)) * (0.75 + 0.5 * random())) end,
      changed_at = clock_timestamp()
  from judged j where r.run_id = j.run_id
  returning r.run_id, r.state)"};

std::vector<EndedLease> End(Transaction& t, const std::vector<LeaseKey>& keys,
                            const std::string& outcome, bool failed, const std::string& error,
                            const LogTails& log_tails, absl::Duration backoff_base) {
  Params runs, tokens, logs;
  for (const LeaseKey& key : keys) {
    runs.emplace_back(key.run_id);
    tokens.push_back(Uuid(key.token));
    logs.emplace_back(log_tails ? log_tails(key.run_id) : "");
  }
  std::vector<EndedLease> ended;
  if (keys.empty()) return ended;
  t.Exec(kHoldSweeps, {Array(runs), Array(tokens)});
  for (const auto& row : t.Exec(kEnd, {Array(runs), Array(tokens), outcome, failed, error,
                                       Array(logs), absl::ToDoubleSeconds(backoff_base)})) {
    ended.push_back({row[0].as<int64_t>(), static_cast<State>(row[1].as<int>())});
  }
  return ended;
}

std::vector<LeaseKey> ReadKeys(const pqxx::result& rows) {
  std::vector<LeaseKey> keys;
  for (const auto& row : rows) keys.push_back({row[0].as<int64_t>(), FromUuid(row[1])});
  return keys;
}

constexpr Statement kLockWorker{
    "lock_worker_by_name",
    "select worker_id, incarnation, host from workers where name = $1 for update"};
constexpr Statement kOldLeases{
    "list_leases_of_old_incarnations",
    "select run_id, token from leases where worker_id = $1 and incarnation <> $2::bytea"};
constexpr Statement kUpsertWorker{"upsert_worker", R"(
  insert into workers (name, host, incarnation, slots, resource_class, memory_bytes, numerics_id,
                       version, science_version, features, labels)
  values ($1, $2, $3::bytea, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb)
  on conflict (name) do update set host = excluded.host, incarnation = excluded.incarnation,
    slots = excluded.slots, resource_class = excluded.resource_class,
    memory_bytes = excluded.memory_bytes, numerics_id = excluded.numerics_id,
    version = excluded.version, science_version = excluded.science_version,
    features = excluded.features, labels = excluded.labels,
    registered_at = clock_timestamp(), seen_at = clock_timestamp()
  returning worker_id)"};

constexpr Statement kSeeWorker{"see_worker", R"(
  update workers set seen_at = clock_timestamp() where worker_id = $1 and incarnation = $2::bytea
  returning name, directive)"};
constexpr Statement kWorkerExists{"worker_exists", "select 1 from workers where worker_id = $1"};
constexpr Statement kRenew{"renew_leases", R"(
  update leases l set expires_at = clock_timestamp() + $4::float8 * interval '1 second'
  from unnest($2::bigint[], $3::uuid[]) as k(run_id, token)
  where l.run_id = k.run_id and l.token = k.token and l.worker_id = $1)"};
constexpr Statement kKeepPoints{"keep_curve_points", R"(
  insert into learning_curves (run_id, step, loss, error_cm, fraction_above)
  select p.run_id, p.step, p.loss, p.error_cm, p.above::float8[]
  from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::float8[], $5::float8[], $6::text[])
         as p(run_id, token, step, loss, error_cm, above)
  join leases l on l.run_id = p.run_id and l.token = p.token
  on conflict do nothing)"};
constexpr Statement kHeld{"list_leases_of_worker", R"(
  select run_id, token, cancelling from leases
  where worker_id = $1 and incarnation = $2::bytea order by run_id)"};

constexpr Statement kFailedBefore{"find_failed_attempt", R"(
  select r.state from attempts a join run_state r using (run_id)
  where a.run_id = $1 and a.token = $2::uuid and a.outcome in ('failed', 'cancelled'))"};

Param Finite(bool present, double value) {
  return present && std::isfinite(value) ? Param(value) : Param(std::nullopt);
}

void KeepPoints(Transaction& t, const std::vector<Renewal>& renewals) {
  Params runs, tokens, steps, losses, errors, above;
  for (const Renewal& renewal : renewals) {
    for (const v1::CurvePoint& point : renewal.points) {
      runs.emplace_back(renewal.key.run_id);
      tokens.push_back(Uuid(renewal.key.token));
      steps.emplace_back(point.step());
      losses.push_back(Finite(point.has_loss(), point.loss()));
      errors.push_back(Finite(point.has_error_cm(), point.error_cm()));
      if (point.fraction_above().empty()) {
        above.emplace_back(std::nullopt);
      } else {
        above.push_back(
            Array(Params(point.fraction_above().begin(), point.fraction_above().end())));
      }
    }
  }
  if (runs.empty()) return;
  t.Exec(kKeepPoints,
         {Array(runs), Array(tokens), Array(steps), Array(losses), Array(errors), Array(above)});
}

}  // namespace

absl::StatusOr<Registered> RegisterWorker(Database& database, const v1::RegisterRequest& request,
                                          absl::Duration backoff_base, const LogTails& log_tails) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Registered> {
    Registered registered;
    const pqxx::result old = t.Exec(kLockWorker, {request.name()});
    if (!old.empty() && FromBytea(old[0][1]) != request.incarnation()) {
      const bool same_host = request.host() == old[0][2].c_str();
      registered.ended = End(
          t, ReadKeys(t.Exec(kOldLeases, {old[0][0].as<int64_t>(), Bytea(request.incarnation())})),
          "lost", same_host,
          same_host ? "the worker's process ended and another took its place"
                    : "the worker moved to another host",
          log_tails, backoff_base);
    }
    nlohmann::json labels = nlohmann::json::object(), features = nlohmann::json::array();
    for (const auto& [key, value] : request.labels()) labels[key] = value;
    for (const auto& feature : request.features()) features.push_back(feature);
    registered.worker_id =
        t.Exec(kUpsertWorker,
               {request.name(), request.host(), Bytea(request.incarnation()), request.slots(),
                request.resource_class().empty() ? "cpu" : request.resource_class(),
                request.memory_bytes(), request.numerics_id(), request.version(),
                request.science_version(), features.dump(), labels.dump()})[0][0]
            .as<int64_t>();
    return registered;
  });
}

absl::StatusOr<Renewed> RenewLeases(Database& database, int64_t worker_id,
                                    const std::string& incarnation,
                                    const std::vector<Renewal>& renewals, absl::Duration ttl) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Renewed> {
    const pqxx::result seen = t.Exec(kSeeWorker, {worker_id, Bytea(incarnation)});
    if (seen.empty()) {
      if (t.Exec(kWorkerExists, {worker_id}).empty()) {
        return absl::NotFoundError(StrCat("there is no worker ", worker_id, "; register first"));
      }
      return WithReason(absl::FailedPreconditionError(
                            "a newer process has registered under this worker's name; stop"),
                        "INCARNATION_REPLACED");
    }
    Renewed renewed;
    renewed.worker = seen[0][0].c_str();
    renewed.directive = static_cast<v1::WorkerDirective>(seen[0][1].as<int>());
    if (!renewals.empty()) {
      Params runs, tokens;
      for (const Renewal& renewal : renewals) {
        runs.emplace_back(renewal.key.run_id);
        tokens.push_back(Uuid(renewal.key.token));
      }
      t.Exec(kRenew, {worker_id, Array(runs), Array(tokens), absl::ToDoubleSeconds(ttl)});
      KeepPoints(t, renewals);
    }
    for (const auto& row : t.Exec(kHeld, {worker_id, Bytea(incarnation)})) {
      renewed.held.push_back({{row[0].as<int64_t>(), FromUuid(row[1])}, row[2].as<bool>()});
    }
    return renewed;
  });
}

absl::StatusOr<std::vector<EndedLease>> ReleaseLeases(Database& database,
                                                      const std::vector<LeaseKey>& keys,
                                                      const std::string& why) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<EndedLease>> {
    return End(t, keys, "released", false, why, nullptr, absl::ZeroDuration());
  });
}

absl::StatusOr<State> FailLease(Database& database, const LeaseKey& key, const std::string& error,
                                const std::string& log_tail, absl::Duration backoff_base) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<State> {
    const auto log = [&](int64_t) { return log_tail; };
    const auto ended = End(t, {key}, "failed", true, error, log, backoff_base);
    if (!ended.empty()) return ended[0].state;
    const pqxx::result before = t.Exec(kFailedBefore, {key.run_id, Uuid(key.token)});
    if (before.empty()) return LeaseLost(key.run_id);
    return static_cast<State>(before[0][0].as<int>());
  });
}

namespace {

// Before the leases themselves: whoever cancels a sweep locks in that order.
constexpr Statement kHoldSweepsOfExpired{"hold_sweeps_of_expired_leases", R"(
  select 1 from sweeps
  where sweep_id in (select sweep_id from leases where expires_at < clock_timestamp())
  order by sweep_id for key share)"};
constexpr Statement kExpired{"list_expired_leases", R"(
  select run_id, token from leases
  where expires_at < clock_timestamp()
    and pg_postmaster_start_time() < clock_timestamp() - $1::float8 * interval '1 second'
  for update skip locked)"};
constexpr Statement kDue{"queue_runs_after_backoff", R"(
  with d as (select run_id from run_state where state = 1 and not_before <= clock_timestamp()
             for update skip locked),
  u as (update run_state r set state = 0, queue_pos = nextval('queue_pos_seq'), not_before = null,
               changed_at = clock_timestamp()
        from d where r.run_id = d.run_id returning 1)
  select count(*) from u)"};
constexpr Statement kMarkAlive{"mark_coordinator_alive", R"(
  insert into coordinators (id) values ($1::uuid)
  on conflict (id) do update set alive_at = clock_timestamp())"};

}  // namespace

absl::StatusOr<Upkeep> DoUpkeep(Database& database, bool expire, absl::Duration ttl,
                                absl::Duration backoff_base, const LogTails& log_tails) {
  Upkeep upkeep;
  if (expire) {
    auto expired =
        database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<EndedLease>> {
          t.Exec(kHoldSweepsOfExpired);
          return End(t, ReadKeys(t.Exec(kExpired, {absl::ToDoubleSeconds(ttl)})), "lost", false,
                     "the lease expired: no heartbeat in time", log_tails, backoff_base);
        });
    if (!expired.ok()) return expired.status();
    upkeep.expired = *std::move(expired);
  }
  ASSIGN_OR_RETURN(upkeep.due, database.Transact([&](Transaction& t) -> absl::StatusOr<int64_t> {
    return t.Exec(kDue)[0][0].as<int64_t>();
  }));
  return upkeep;
}

absl::Status MarkAlive(Database& database, const std::string& coordinator_id) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kMarkAlive, {Uuid(coordinator_id)});
    return absl::OkStatus();
  });
}

absl::Status NotifyWork(Database& database) {
  return database.Transact([&](Transaction& t) {
    t.ExecText(StrCat("notify ", kWorkChannel));
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/leases.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/status.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/store/quarantine.h"

namespace gridsweep::coordinator {
namespace {

// Leases and what else comes and goes are looked up one by one, not joined: a scan passes over all
// rows that are gone, and is thought cheap after a count at a moment when there were none.

// Holds up whoever pauses, stops or cancels a sweep of the leases, or of what
// worker $3 has failed before, and waits for one who is at it: the end of a
// lease finds the sweep as it stands.
constexpr Statement kHoldSweeps{"hold_sweeps_of_leases", R"(
  select 1 from sweeps where sweep_id in (
    select l.sweep_id from unnest($1::bigint[], $2::uuid[]) as k(run_id, token)
    cross join lateral (select * from leases where leases.run_id = k.run_id offset 0) l
    where l.token = k.token
    union select r.sweep_id from worker_failures f join runs r using (run_id)
    where f.worker_id = $3)
  order by sweep_id for key share)"};

// Ends leases: one row of `attempts` each, the run back into the queue, into a
// pause, PAUSED, FAILED or CANCELLED. $1, $2: run ids and tokens; $3: outcome; $4:
// whether it is their worker's failure; $5: error; $6: their logs, where the
// caller knows more of them than was kept; $7: pause in seconds.
constexpr Statement kEnd{"end_leases", R"(
  with gone as (
    delete from leases where run_id = any(array(
      select l.run_id from unnest($1::bigint[], $2::uuid[]) as k(run_id, token)
      cross join lateral (select * from leases where leases.run_id = k.run_id offset 0) l
      where l.token = k.token))
    returning *),
  judged as (
    select g.*, w.name as worker, w.host, s.max_attempts, coalesce(c.step, 0) as checkpoint_step,
           extract(epoch from clock_timestamp() - greatest(g.granted_at, c.saved_at)) as wasted,
           g.cancelling or s.cancelled_at is not null as cancelled,
           (select k.log from unnest($1::bigint[], $6::text[]) as k(run_id, log)
            where k.run_id = g.run_id limit 1) as log,
           coalesce(array_to_string(v.lines, E'\n'), '') as kept_log,
           s.stopped_at is not null as stopped, s.paused_at is not null as paused,
           $4::bool or ($3 = 'lost' and 4 = (select count(*) from (
             select a.outcome, a.checkpoint_step as step from attempts a where a.run_id = g.run_id
             order by a.attempt desc limit 4) last
             where last.outcome = 'lost' and last.step = coalesce(c.step, 0))) as failed
    from gone g join sweeps s using (sweep_id)
    cross join lateral (select * from workers k where k.worker_id = g.worker_id offset 0) w
    left join lateral (select * from checkpoints k where k.run_id = g.run_id offset 0) c on true
    left join lateral (select * from live_logs k where k.run_id = g.run_id and k.attempt = g.attempt
                       offset 0) v on true),
  a as (
    insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at, outcome,
                          error, log_tail, counted, checkpoint_step, wasted_seconds)
    select run_id, attempt, token, worker_id, worker, host, granted_at,
           case when cancelled and not failed then 'cancelled' else $3 end, $5,
           case when length(kept_log) > length(log) then kept_log else log end, failed,
           checkpoint_step, case when cancelled then 0 else wasted end from judged),
  f as (
    insert into worker_failures (worker_id, run_id, attempt, occasion, crashed)
    select worker_id, run_id, attempt,
           case when $3 = 'lost' then encode(incarnation, 'hex')::uuid else token end, $3 = 'lost'
    from judged where $4::bool)
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
  returning r.run_id, r.state, j.attempt, r.sweep_id, j.worker,
            case when j.cancelled and not j.failed then 'cancelled' else $3 end,
            case when j.cancelled then 0 else j.wasted end)"};

// Whose failure the end of a lease is.
constexpr int64_t kNobody = 0;

struct Ended {
  std::vector<EndedLease> leases;
  std::string quarantined;  // the worker at fault, where this put it in quarantine
};

// The caller holds the row of the worker that is `at_fault`.
Ended End(Transaction& t, const std::vector<LeaseKey>& keys, const std::string& outcome,
          int64_t at_fault, const std::string& error, const LogTails& log_tails,
          const FailurePolicy& policy) {
  Params runs, tokens, logs;
  for (const LeaseKey& key : keys) {
    runs.emplace_back(key.run_id);
    tokens.push_back(Uuid(key.token));
    logs.emplace_back(log_tails ? log_tails(key.run_id) : "");
  }
  Ended ended;
  if (keys.empty()) return ended;
  t.Exec(kHoldSweeps, {Array(runs), Array(tokens), at_fault});
  for (const auto& row :
       t.Exec(kEnd, {Array(runs), Array(tokens), outcome, at_fault != kNobody, error, Array(logs),
                     absl::ToDoubleSeconds(policy.backoff_base)})) {
    ended.leases.push_back({row[0].as<int64_t>(), static_cast<State>(row[1].as<int>()),
                            row[2].as<int>(), row[3].as<int64_t>(), row[4].c_str(), row[5].c_str(),
                            row[6].as<double>()});
  }
  if (at_fault == kNobody || ended.leases.empty()) return ended;
  Judgement judgement = JudgeWorker(t, at_fault, policy.quarantine_after);
  ended.quarantined = std::move(judgement.quarantined);
  for (const EndedLease& back : judgement.taken_back) {
    for (EndedLease& lease : ended.leases) {
      if (lease.run_id == back.run_id) lease.state = back.state;
    }
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
    "select worker_id, incarnation, host, registered_at from workers where name = $1 for update"};
constexpr Statement kOldLeases{
    "list_leases_of_old_incarnations",
    "select run_id, token from leases"
    " where worker_id = $1 and incarnation <> $2::bytea and granted_at >= $3::timestamptz"
    " and token <> all($4::uuid[])"};
// By run, whatever the plan thinks of the index by worker.
constexpr Statement kAdopt{"adopt_kept_leases", R"(
  update leases set incarnation = $2::bytea
  where run_id = any($3::bigint[]) and token = any($4::uuid[]) and worker_id + 0 = $1)"};
constexpr Statement kUpsertWorker{"upsert_worker", R"(
  insert into workers (name, host, incarnation, slots, resource_class, memory_bytes, numerics_id,
                       version, science_version, features, labels)
  values ($1, $2, $3::bytea, $4, $5, $6, $7, $8, $9, $10::jsonb, $11::jsonb)
  on conflict (name) do update set host = excluded.host, incarnation = excluded.incarnation,
    slots = excluded.slots, resource_class = excluded.resource_class,
    memory_bytes = excluded.memory_bytes, numerics_id = excluded.numerics_id,
    version = excluded.version, science_version = excluded.science_version,
    features = excluded.features, labels = excluded.labels,
    registered_at = case when workers.incarnation = excluded.incarnation
                         then workers.registered_at else clock_timestamp() end
  returning worker_id)"};

constexpr Statement kFindWorker{"find_worker_of_heartbeat", R"(
  select name, directive, releasing, registered_at from workers
  where worker_id = $1 and incarnation = $2::bytea)"};
// What is written leaves a dead row behind, which stays while anybody's snapshot does and is passed
// over by every look at the row: here none but this one looks.
constexpr Statement kSeeWorker{"see_worker", R"(
  insert into worker_sightings (worker_id) values ($1)
  on conflict (worker_id) do update set seen_at = clock_timestamp())"};
constexpr Statement kWorkerExists{"worker_exists", "select 1 from workers where worker_id = $1"};
// By run, whatever the plan thinks of the index by worker.
constexpr Statement kRenew{"renew_leases", R"(
  update leases set expires_at = clock_timestamp() + $4::float8 * interval '1 second'
  where run_id = any($2::bigint[]) and token = any($3::uuid[]) and worker_id + 0 = $1
    and expires_at < clock_timestamp() + 0.9 * $4::float8 * interval '1 second')"};
// Under the leases' locks: who ends a lease meanwhile, and stores the run's curve, is waited for.
constexpr Statement kKeepPoints{"keep_curve_points", R"(
  insert into learning_curves (run_id, step, loss, error_cm, fraction_above)
  select p.run_id, p.step, p.loss, p.error_cm, p.above::float8[]
  from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::float8[], $5::float8[], $6::text[])
         as p(run_id, token, step, loss, error_cm, above)
  cross join lateral (
    select token from leases where leases.run_id = p.run_id and leases.token = p.token
    for key share) l
  order by p.run_id, p.step
  on conflict do nothing)"};
constexpr Statement kNamed{"find_leases_of_worker", R"(
  select l.run_id, l.token, l.cancelling
  from unnest($3::bigint[], $4::uuid[]) as k(run_id, token)
  cross join lateral (select * from leases where leases.run_id = k.run_id offset 0) l
  where l.token = k.token and l.worker_id = $1 and l.incarnation = $2::bytea)"};
// Not those of before its registration, for which the dead rows of all that it ever held would be
// passed over.
constexpr Statement kUnnamed{"list_other_leases_of_worker", R"(
  select run_id, token, cancelling from leases
  where worker_id = $1 and incarnation = $2::bytea and token <> all($3::uuid[])
    and granted_at >= $4::timestamptz)"};

constexpr Statement kHoldWorker{"hold_worker_of_lease", R"(
  select worker_id from workers
  where worker_id = (select worker_id from leases where run_id = $1 and token = $2::uuid)
  for no key update)"};
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
                                          const FailurePolicy& policy, const LogTails& log_tails) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Registered> {
    Registered registered;
    Params kept_runs, kept_tokens;
    for (const v1::LeaseRef& ref : request.kept()) {
      kept_runs.emplace_back(ref.run_id());
      kept_tokens.push_back(Uuid(ref.token()));
    }
    const pqxx::result old = t.Exec(kLockWorker, {request.name()});
    if (!old.empty() && FromBytea(old[0][1]) != request.incarnation()) {
      const bool same_host = request.host() == old[0][2].c_str();
      const auto worker_id = old[0][0].as<int64_t>();
      const pqxx::result leases = t.Exec(kOldLeases, {worker_id, Bytea(request.incarnation()),
                                                      old[0][3].c_str(), Array(kept_tokens)});
      Ended ended = End(t, ReadKeys(leases), "lost", same_host ? worker_id : kNobody,
                        same_host ? "the worker's process ended and another took its place"
                                  : "the worker moved to another host",
                        log_tails, policy);
      registered.ended = std::move(ended.leases);
      registered.quarantined = !ended.quarantined.empty();
      // After the others: who cancels a sweep locks it before its leases, and so does their end.
      if (!kept_runs.empty()) {
        t.Exec(kAdopt,
               {worker_id, Bytea(request.incarnation()), Array(kept_runs), Array(kept_tokens)});
      }
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
    t.Exec(kSeeWorker, {registered.worker_id});
    return registered;
  });
}

absl::StatusOr<Renewed> RenewLeases(Database& database, int64_t worker_id,
                                    const std::string& incarnation,
                                    const std::vector<Renewal>& renewals, absl::Duration ttl,
                                    bool full) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Renewed> {
    const double ttl_seconds = absl::ToDoubleSeconds(ttl);
    const pqxx::result found = t.Exec(kFindWorker, {worker_id, Bytea(incarnation)});
    if (found.empty()) {
      if (t.Exec(kWorkerExists, {worker_id}).empty()) {
        return absl::NotFoundError(StrCat("there is no worker ", worker_id, "; register first"));
      }
      return WithReason(absl::FailedPreconditionError(
                            "a newer process has registered under this worker's name; stop"),
                        kIncarnationReplaced);
    }
    Renewed renewed;
    renewed.worker = found[0][0].c_str();
    renewed.directive = static_cast<v1::WorkerDirective>(found[0][1].as<int>());
    renewed.releasing = found[0][2].as<bool>();
    Params runs, tokens;
    for (const Renewal& renewal : renewals) {
      runs.emplace_back(renewal.key.run_id);
      tokens.push_back(Uuid(renewal.key.token));
    }
    if (!renewals.empty()) {
      t.Exec(kRenew, {worker_id, Array(runs), Array(tokens), ttl_seconds});
      KeepPoints(t, renewals);
    }
    const auto add = [&](const pqxx::result& held) {
      for (const auto& row : held) {
        renewed.held.push_back({{row[0].as<int64_t>(), FromUuid(row[1])}, row[2].as<bool>()});
      }
    };
    add(t.Exec(kNamed, {worker_id, Bytea(incarnation), Array(runs), Array(tokens)}));
    if (full) {
      add(t.Exec(kUnnamed, {worker_id, Bytea(incarnation), Array(tokens), found[0][3].c_str()}));
      t.Exec(kSeeWorker, {worker_id});
    }
    std::ranges::sort(renewed.held, {}, [](const HeldLease& lease) { return lease.key.run_id; });
    return renewed;
  });
}

absl::StatusOr<std::vector<EndedLease>> ReleaseLeases(Database& database,
                                                      const std::vector<LeaseKey>& keys,
                                                      const std::string& why) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<EndedLease>> {
    return End(t, keys, "released", kNobody, why, nullptr, {}).leases;
  });
}

absl::StatusOr<Failed> FailLease(Database& database, const LeaseKey& key, const std::string& error,
                                 const std::string& log_tail, const FailurePolicy& policy) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Failed> {
    const pqxx::result worker = t.Exec(kHoldWorker, {key.run_id, Uuid(key.token)});
    if (!worker.empty()) {
      const auto log = [&](int64_t) { return log_tail; };
      const Ended ended = End(t, {key}, "failed", worker[0][0].as<int64_t>(), error, log, policy);
      if (!ended.leases.empty()) {
        return Failed{ended.leases[0].state, ended.quarantined, ended.leases};
      }
    }
    const pqxx::result before = t.Exec(kFailedBefore, {key.run_id, Uuid(key.token)});
    if (before.empty()) return LeaseLost(key.run_id);
    return Failed{static_cast<State>(before[0][0].as<int>()), "", {}};
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
  where expires_at < least(clock_timestamp(), $2::timestamptz)
    and pg_postmaster_start_time() < clock_timestamp() - $1::float8 * interval '1 second'
    and not exists (
      select from coordinators c
      where c.alive_at < clock_timestamp() - 3 * c.again
        and c.alive_at > clock_timestamp() - 2 * $1::float8 * interval '1 second')
  limit $3 for update skip locked)"};
constexpr Statement kDue{"queue_runs_after_backoff", R"(
  with d as (select run_id from run_state where state = 1 and not_before <= clock_timestamp()
             limit $1 for update skip locked),
  u as (update run_state r set state = 0, queue_pos = nextval('queue_pos_seq'), not_before = null,
               changed_at = clock_timestamp()
        from d where r.run_id = d.run_id returning 1)
  select count(*) from u)"};
constexpr Statement kMarkAlive{"mark_coordinator_alive", R"(
  insert into coordinators (id, again) values ($1::uuid, $2::float8 * interval '1 second')
  on conflict (id) do update set alive_at = clock_timestamp())"};
constexpr Statement kMarkEnded{"mark_coordinator_ended", R"(
  delete from coordinators
  where id = $1::uuid or alive_at < clock_timestamp() - interval '1 day')"};
constexpr Statement kNow{"read_clock",
                         "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"};
constexpr Statement kNotify{"notify", "select pg_notify($1, $2)"};

// A payload is less than 8000 bytes.
constexpr size_t kMostSweepsNamed = 500;

// Ids with commas between them; none: anywhere.
std::string ToPayload(const NewWork& work) {
  if (work.anywhere || work.sweeps.size() > kMostSweepsNamed) return "";
  return absl::StrJoin(work.sweeps, ",");
}

}  // namespace

absl::StatusOr<absl::Time> DatabaseTime(Database& database) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<absl::Time> {
    return absl::FromUnixMicros(t.Exec(kNow)[0][0].as<int64_t>());
  });
}

absl::StatusOr<std::vector<EndedLease>> ExpireLeases(Database& database, absl::Duration ttl,
                                                     const FailurePolicy& policy,
                                                     const LogTails& log_tails, absl::Time until,
                                                     int limit) {
  const Param before =
      until == absl::InfiniteFuture()
          ? Param("infinity")
          : Param(absl::FormatTime(absl::RFC3339_full, until, absl::UTCTimeZone()));
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<EndedLease>> {
    // Most of the time none has, and one look at the leases tells.
    if (t.Exec(kHoldSweepsOfExpired).empty()) return std::vector<EndedLease>();
    return End(t, ReadKeys(t.Exec(kExpired, {absl::ToDoubleSeconds(ttl), before, limit})), "lost",
               kNobody, "the lease expired: no heartbeat in time", log_tails, policy)
        .leases;
  });
}

absl::StatusOr<int64_t> QueueDueRuns(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int64_t> {
    return t.Exec(kDue, {limit})[0][0].as<int64_t>();
  });
}

absl::StatusOr<Upkeep> DoUpkeep(Database& database, bool expire, absl::Duration ttl,
                                const FailurePolicy& policy, const LogTails& log_tails) {
  constexpr int kAll = std::numeric_limits<int>::max();
  Upkeep upkeep;
  if (expire) {
    ASSIGN_OR_RETURN(upkeep.expired,
                     ExpireLeases(database, ttl, policy, log_tails, absl::InfiniteFuture(), kAll));
  }
  ASSIGN_OR_RETURN(upkeep.due, QueueDueRuns(database, kAll));
  return upkeep;
}

absl::Status MarkAlive(Database& database, const std::string& coordinator_id,
                       absl::Duration again) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kMarkAlive, {Uuid(coordinator_id), absl::ToDoubleSeconds(again)});
    return absl::OkStatus();
  });
}

absl::Status MarkEnded(Database& database, const std::string& coordinator_id) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kMarkEnded, {Uuid(coordinator_id)});
    return absl::OkStatus();
  });
}

NewWork FromPayload(const std::string& payload) {
  NewWork work;
  for (const absl::string_view id : absl::StrSplit(payload, ',')) {
    int64_t sweep_id = 0;
    if (!absl::SimpleAtoi(id, &sweep_id)) return {.anywhere = true};
    work.sweeps.insert(sweep_id);
  }
  return work;
}

absl::Status NotifyWork(Database& database, const NewWork& work) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kNotify, {kWorkChannel, ToPayload(work)});
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

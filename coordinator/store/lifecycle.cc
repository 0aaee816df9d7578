#include "coordinator/store/lifecycle.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

// Ids that callers give are compared as bigint: one that no sweep can have is
// one that none has.
constexpr Statement kLockSweep{"lock_sweep",
                               "select submitted_by from sweeps"
                               " where sweep_id = $1::bigint and deleted_at is null for update"};

constexpr Statement kCountLeases{"count_leases_of_locked_sweep",
                                 "select count(*) from leases where sweep_id = $1::bigint"};
constexpr Statement kMarkPaused{
    "mark_sweep_paused",
    "update sweeps set paused_at = coalesce(paused_at, clock_timestamp())"
    " where sweep_id = $1::bigint"};
constexpr Statement kPauseWaiting{"pause_waiting_runs", R"(
  with p as (update run_state set state = 2, changed_at = clock_timestamp()
             where sweep_id = $1::bigint and state in (0, 1) returning 1)
  select count(*) from p)"};

constexpr Statement kMarkResumed{"mark_sweep_resumed",
                                 "update sweeps set paused_at = null where sweep_id = $1::bigint"};
constexpr Statement kResumePaused{"resume_paused_runs", R"(
  with p as (select run_id, nextval('queue_pos_seq') as place, not_before > clock_timestamp() as early
             from (select * from run_state where sweep_id = $1::bigint and state = 2
                   order by queue_pos) q),
  r as (update run_state s
        set state = case when p.early then 1 else 0 end, queue_pos = p.place,
            not_before = case when p.early then s.not_before end, changed_at = clock_timestamp()
        from p where s.run_id = p.run_id returning 1)
  select count(*) from r)"};

constexpr Statement kMarkStopped{
    "mark_sweep_stopped",
    "update sweeps set stopped_at = coalesce(stopped_at, clock_timestamp())"
    " where sweep_id = $1::bigint"};
constexpr Statement kMarkCancelled{
    "mark_sweep_cancelled",
    "update sweeps set cancelled_at = clock_timestamp() where sweep_id = $1::bigint"};
constexpr Statement kCancelWaiting{"cancel_waiting_runs", R"(
  with c as (update run_state set state = 7, not_before = null, changed_at = clock_timestamp()
             where sweep_id = $1::bigint and state in (0, 1, 2) returning 1)
  select count(*) from c)"};
constexpr Statement kCancelLeased{"cancel_leased_runs", R"(
  with c as (update leases set cancelling = true where sweep_id = $1::bigint returning 1)
  select count(*) from c)"};

// Ended runs have no lease, so no worker can write to what is locked here.
constexpr Statement kLockEnded{"lock_runs_to_retry", R"(
  select run_id from run_state
  where sweep_id = $1::bigint and state = any($2::smallint[]) and state > 3
    and (cardinality($3::bigint[]) = 0 or run_id = any($3::bigint[]))
  order by run_id for update)"};
constexpr Statement kKeepResults{"keep_results_in_attempts", R"(
  update attempts a
  set withdrawn = jsonb_strip_nulls(
    (to_jsonb(p) - '{run_id,sweep_id,token,outcome,artifact,finished_at,readout,readout_family,
                     units_above}'::text[]) ||
    jsonb_build_object(
      'artifact', encode(p.artifact, 'hex'),
      'finished_us', (extract(epoch from p.finished_at) * 1000000)::bigint,
      'withdrawn_us', (extract(epoch from clock_timestamp()) * 1000000)::bigint))
  from run_results p
  where p.run_id = any($1::bigint[]) and a.run_id = p.run_id and a.token = p.token)"};
constexpr Statement kForgiveFailures{
    "forgive_failures_of_runs",
    "update attempts set counted = false where run_id = any($1::bigint[]) and counted"};
constexpr Statement kDropResults{"drop_results_of_runs", R"(
  with gone as (delete from run_results where run_id = any($1::bigint[]) returning artifact)
  insert into artifact_garbage select distinct artifact from gone where artifact is not null
  on conflict (sha256) do update set since = excluded.since)"};
constexpr Statement kDropUnits{"drop_units_of_runs",
                               "delete from units where run_id = any($1::bigint[])"};
constexpr Statement kDropRollups{"drop_rollups_of_runs",
                                 "delete from unit_rollups where run_id = any($1::bigint[])"};
constexpr Statement kDropCurves{"drop_curves_of_runs",
                                "delete from learning_curves where run_id = any($1::bigint[])"};
// It begins anew: what failed it may be in its checkpoint. The file goes with it.
constexpr Statement kDropCheckpoints{"drop_checkpoints_of_runs",
                                     "delete from checkpoints where run_id = any($1::bigint[])"};
constexpr Statement kMarkRetried{
    "mark_sweep_retried",
    "update sweeps set stopped_at = null, cancelled_at = null, notified_at = null"
    " where sweep_id = $1::bigint"};
constexpr Statement kQueueAgain{"queue_runs_again", R"(
  with n as (select run_id, nextval('queue_pos_seq') as place
             from (select * from unnest($1::bigint[]) as r(run_id) order by run_id) o)
  update run_state r
  set state = case when s.paused_at is null then 0 else 2 end, failures = 0,
      queue_pos = n.place, not_before = null, changed_at = clock_timestamp()
  from n, sweeps s where r.run_id = n.run_id and s.sweep_id = r.sweep_id)"};

// Its request id may serve another sweep from now on.
constexpr Statement kMarkDeleted{"mark_sweep_deleted", R"(
  update sweeps
  set deleted_at = clock_timestamp(), request_id = null,
      cancelled_at = coalesce(cancelled_at, clock_timestamp())
  where sweep_id = $1::bigint returning run_count)"};
constexpr Statement kTakeDeleted{"lock_deleted_sweep", R"(
  select sweep_id from sweeps where deleted_at is not null
  order by sweep_id limit 1 for update skip locked)"};
constexpr Statement kRunsToDelete{"find_runs_to_delete", R"(
  select min(run_id), max(run_id)
  from (select run_id from runs where sweep_id = $1 order by ordinal limit $2) r)"};
constexpr Statement kDropSweep{"drop_sweep", "delete from sweeps where sweep_id = $1"};
// All that belongs to runs $1 to $2, which are of one sweep; `runs` last, for the others name it.
constexpr Statement kDropRange[] = {
    {"drop_units_of_range", "delete from units where run_id between $1 and $2"},
    {"drop_rollups_of_range", "delete from unit_rollups where run_id between $1 and $2"},
    {"drop_curves_of_range", "delete from learning_curves where run_id between $1 and $2"},
    {"drop_results_of_range", R"(
  with gone as (delete from run_results where run_id between $1 and $2 returning artifact)
  insert into artifact_garbage select distinct artifact from gone where artifact is not null
  on conflict (sha256) do update set since = excluded.since)"},
    {"drop_worker_failures_of_range", "delete from worker_failures where run_id between $1 and $2"},
    {"drop_attempts_of_range", "delete from attempts where run_id between $1 and $2"},
    {"drop_states_of_range", "delete from run_state where run_id between $1 and $2"},
    {"drop_runs_of_range", "delete from runs where run_id between $1 and $2"}};

int64_t Int(const pqxx::result& rows) { return rows[0][0].as<int64_t>(); }

absl::Status NotYours(int64_t sweep_id, const std::string& caller, const std::string& owner) {
  return WithReason(
      absl::PermissionDeniedError(
          StrCat("sweep ", sweep_id,
                 owner.empty() ? " was submitted without a token"
                               : StrCat(" was submitted by the token \"", owner, "\""),
                 "; the token \"", caller, "\" may not change it. Ask ",
                 owner.empty() ? "an admin" : "its submitter or an admin",
                 "; coordinators that are started with --shared-sweeps let every submitter")),
      "NOT_SUBMITTER");
}

// Calls `body` (Transaction& -> absl::StatusOr<T>) with the sweep's row locked.
// Statements after the lock see what every lease that has ended before it left.
template <typename Body>
auto WithSweep(Database& database, int64_t sweep_id, const OwnSweeps& own, Body body) {
  using Result = std::invoke_result_t<Body, Transaction&>;
  return database.Transact([&](Transaction& t) -> Result {
    const pqxx::result sweep = t.Exec(kLockSweep, {sweep_id});
    if (sweep.empty()) return absl::NotFoundError(StrCat("there is no sweep ", sweep_id));
    const std::string owner = sweep[0][0].c_str();
    if (own && (owner.empty() || owner != *own)) return NotYours(sweep_id, *own, owner);
    return body(t);
  });
}

}  // namespace

absl::StatusOr<Affected> PauseSweep(Database& database, int64_t sweep_id, const OwnSweeps& own) {
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<Affected> {
    t.Exec(kMarkPaused, {sweep_id});
    // Waits for claims in flight; what they have leased, the next statement sees.
    const int64_t paused = Int(t.Exec(kPauseWaiting, {sweep_id}));
    return Affected{paused, Int(t.Exec(kCountLeases, {sweep_id}))};
  });
}

absl::StatusOr<int64_t> ResumeSweep(Database& database, int64_t sweep_id, const OwnSweeps& own) {
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<int64_t> {
    t.Exec(kMarkResumed, {sweep_id});
    return Int(t.Exec(kResumePaused, {sweep_id}));
  });
}

absl::StatusOr<Affected> StopSweep(Database& database, int64_t sweep_id, const OwnSweeps& own) {
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<Affected> {
    t.Exec(kMarkStopped, {sweep_id});
    const int64_t cancelled = Int(t.Exec(kCancelWaiting, {sweep_id}));
    return Affected{cancelled, Int(t.Exec(kCountLeases, {sweep_id}))};
  });
}

absl::StatusOr<Affected> CancelSweep(Database& database, int64_t sweep_id, const OwnSweeps& own) {
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<Affected> {
    t.Exec(kMarkCancelled, {sweep_id});
    const int64_t cancelled = Int(t.Exec(kCancelWaiting, {sweep_id}));
    return Affected{cancelled, Int(t.Exec(kCancelLeased, {sweep_id}))};
  });
}

absl::StatusOr<int64_t> RetrySweep(Database& database, int64_t sweep_id,
                                   const std::vector<State>& states,
                                   const std::vector<int64_t>& run_ids, const OwnSweeps& own) {
  Params wanted_states;
  for (const State state : states) wanted_states.emplace_back(static_cast<int>(state));
  const Params wanted_runs(run_ids.begin(), run_ids.end());
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<int64_t> {
    Params ids;
    for (const auto& row :
         t.Exec(kLockEnded, {sweep_id, Array(wanted_states), Array(wanted_runs)})) {
      ids.emplace_back(row[0].as<int64_t>());
    }
    if (ids.empty()) return 0;
    t.Exec(kMarkRetried, {sweep_id});
    for (const Statement& statement : {kKeepResults, kForgiveFailures, kDropResults, kDropUnits,
                                       kDropRollups, kDropCurves, kDropCheckpoints, kQueueAgain}) {
      t.Exec(statement, {Array(ids)});
    }
    return static_cast<int64_t>(ids.size());
  });
}

absl::StatusOr<int64_t> DeleteSweep(Database& database, int64_t sweep_id, const OwnSweeps& own) {
  return WithSweep(database, sweep_id, own, [&](Transaction& t) -> absl::StatusOr<int64_t> {
    // From here on no claim finds a run of it.
    t.Exec(kCancelWaiting, {sweep_id});
    if (const int64_t leased = Int(t.Exec(kCountLeases, {sweep_id})); leased > 0) {
      return WithReason(
          absl::FailedPreconditionError(
              StrCat("sweep ", sweep_id, " has ", leased,
                     " leased runs: cancel it, and delete it once they have stopped (a worker "
                     "hears of it with its next heartbeat)")),
          "SWEEP_HAS_LEASES");
    }
    return Int(t.Exec(kMarkDeleted, {sweep_id}));
  });
}

absl::StatusOr<bool> DeleteSomeRuns(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<bool> {
    const pqxx::result sweep = t.Exec(kTakeDeleted);
    if (sweep.empty()) return false;
    const auto sweep_id = Int(sweep);
    const pqxx::result range = t.Exec(kRunsToDelete, {sweep_id, limit});
    if (range[0][0].is_null()) {
      t.Exec(kDropSweep, {sweep_id});
      return true;
    }
    for (const Statement& statement : kDropRange) {
      t.Exec(statement, {range[0][0].as<int64_t>(), range[0][1].as<int64_t>()});
    }
    return true;
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/reuse.h"

#include <set>
#include <string>

#include "common/strings.h"
#include "coordinator/store/sweeps.h"
#include "science/config/metric_registry.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kSetAside{"set_reusable_runs_aside", R"(
  with found as (
    select distinct on (r.run_id) r.run_id, p.run_id as source
    from runs r
    join runs o on o.config_hash = r.config_hash and o.sweep_id <> r.sweep_id
    join sweeps s on s.sweep_id = o.sweep_id and s.deleted_at is null
    join run_results p on p.run_id = o.run_id and p.science_version = $2
    where r.sweep_id = $1
    order by r.run_id, p.reused_from is not null, p.run_id),
  q as (insert into reuses select run_id, source from found returning run_id),
  u as (update run_state s set class = -1 from q where s.run_id = q.run_id returning 1)
  select count(*) from u)"};

constexpr Statement kTake{"take_reuses", R"(
  select q.run_id, q.source_run_id, s.state from reuses q join run_state s using (run_id)
  order by q.run_id limit $1 for update skip locked)"};
// Holds up whoever deletes the source's sweep or retries it.
constexpr Statement kHoldSources{"hold_sources_of_reuses", R"(
  select run_id, outcome from run_results where run_id = any($1::bigint[])
  order by run_id for key share)"};
constexpr Statement kCopyRollups{"reuse_rollups", R"(
  insert into unit_rollups (run_id, metric, n, nulls, min, max, sum, bins)
  select q.run_id, u.metric, u.n, u.nulls, u.min, u.max, u.sum, u.bins
  from unnest($1::bigint[], $2::bigint[]) as q(run_id, source)
  join unit_rollups u on u.run_id = q.source)"};
constexpr Statement kCopyCurves{"reuse_learning_curves", R"(
  insert into learning_curves (run_id, step, loss, error_cm, fraction_above)
  select q.run_id, c.step, c.loss, c.error_cm, c.fraction_above
  from unnest($1::bigint[], $2::bigint[]) as q(run_id, source)
  join learning_curves c on c.run_id = q.source)"};
constexpr Statement kFinish{"finish_reused_runs", R"(
  update run_state s
  set state = case p.outcome when 1 then 4 else 5 end, changed_at = clock_timestamp()
  from run_results p where s.run_id = any($1::bigint[]) and p.run_id = s.run_id)"};
// Of all that were taken: those without a result may be claimed now.
constexpr Statement kForget{"forget_reuses", R"(
  with gone as (delete from reuses where run_id = any($1::bigint[]) returning run_id)
  update run_state s
  set class = case w.resource_class when 'cpu' then 1 when 'gpu' then 2 else 0 end,
      queue_pos = case s.state when 0 then nextval('queue_pos_seq') else s.queue_pos end
  from gone g, sweeps w where s.run_id = g.run_id and w.sweep_id = s.sweep_id)"};

std::string MetricColumns(science::MetricLevel level, const char* prefix) {
  std::string columns;
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level == level) columns += StrCat(", ", prefix, metric.name);
  }
  return columns;
}

const Statement& CopyResults() {
  static const std::string sql = StrCat(
      "insert into run_results (run_id, sweep_id, token, outcome, artifact, unit_count, steps,"
      " compute_seconds, numerics_id, science_version, reused_from, readout, readout_family,"
      " units_above",
      MetricColumns(science::MetricLevel::kRun, ""),
      ") select q.run_id, r.sweep_id, gen_random_uuid(), p.outcome, p.artifact, p.unit_count,"
      " p.steps, p.compute_seconds, p.numerics_id, p.science_version,"
      " coalesce(p.reused_from, p.run_id), r.readout, r.readout_family, p.units_above",
      MetricColumns(science::MetricLevel::kRun, "p."),
      " from unnest($1::bigint[], $2::bigint[]) as q(run_id, source)"
      " join runs r on r.run_id = q.run_id join run_results p on p.run_id = q.source");
  static const Statement statement{"reuse_results", sql.c_str()};
  return statement;
}

const Statement& CopyUnits() {
  static const std::string sql =
      StrCat("insert into units (run_id, unit", MetricColumns(science::MetricLevel::kUnit, ""),
             ") select q.run_id, u.unit", MetricColumns(science::MetricLevel::kUnit, "u."),
             " from unnest($1::bigint[], $2::bigint[]) as q(run_id, source)"
             " join units u on u.run_id = q.source");
  static const Statement statement{"reuse_units", sql.c_str()};
  return statement;
}

}  // namespace

int64_t SetReusableRunsAside(Transaction& t, int64_t sweep_id, int science_version) {
  return t.Exec(kSetAside, {sweep_id, science_version})[0][0].as<int64_t>();
}

absl::StatusOr<Reused> ReuseResults(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Reused> {
    Reused reused;
    const pqxx::result taken = t.Exec(kTake, {limit});
    if (taken.empty()) return reused;
    reused.looked_at = static_cast<int64_t>(taken.size());
    Params all, wanted;
    for (const auto& row : taken) {
      all.emplace_back(row[0].as<int64_t>());
      wanted.emplace_back(row[1].as<int64_t>());
    }
    std::set<int64_t> there;
    for (const auto& row : t.Exec(kHoldSources, {Array(wanted)})) {
      there.insert(row[0].as<int64_t>());
    }
    Params runs, sources;
    for (const auto& row : taken) {
      const auto state = static_cast<State>(row[2].as<int>());
      const bool waits = state == State::kPending || state == State::kPaused;
      const auto source = row[1].as<int64_t>();
      if (waits && there.contains(source)) {
        runs.emplace_back(row[0].as<int64_t>());
        sources.emplace_back(source);
      } else if (state == State::kPending) {
        ++reused.queued;
      }
    }
    reused.runs = static_cast<int64_t>(runs.size());
    if (!runs.empty()) {
      for (const Statement& statement : {CopyResults(), CopyUnits(), kCopyRollups, kCopyCurves}) {
        t.Exec(statement, {Array(runs), Array(sources)});
      }
      t.Exec(kFinish, {Array(runs)});
    }
    t.Exec(kForget, {Array(all)});
    return reused;
  });
}

}  // namespace gridsweep::coordinator

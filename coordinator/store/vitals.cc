#include "coordinator/store/vitals.h"

namespace gridsweep::coordinator {
namespace {

// Counts leases in a form that no index can serve: through one, each that is gone costs a look.
constexpr Statement kVitals{"read_vitals", R"(
  with l as (select worker_id + 0 as worker_id, count(expires_at) as n from leases group by 1),
  w as (
    select directive, releasing,
           seen_at > clock_timestamp() - 3 * $1::float8 * interval '1 second' as seen
    from workers join worker_sightings using (worker_id)
    where seen_at > clock_timestamp() - greatest(3 * $1::float8, 3600) * interval '1 second')
  select (select coalesce(sum(n), 0) from l)::bigint,
         coalesce((select extract(epoch from max(clock_timestamp() - seen_at)) from worker_sightings
                   where worker_id in (select worker_id from l)), 0),
         pg_notification_queue_usage(),
         coalesce((select extract(epoch from min(xact_start)) from pg_stat_activity
                   where pid <> pg_backend_pid()), 0),
         count(*) filter (where seen and directive = 1),
         count(*) filter (where seen and directive = 2 and not releasing),
         count(*) filter (where seen and directive = 2 and releasing),
         count(*) filter (where seen and directive = 3),
         count(*) filter (where not seen)
  from w)"};

constexpr Statement kPing{"ping", "select 1"};

constexpr Statement kCountRuns{"count_runs_by_state",
                               "select state, count(*) from run_state group by state"};

}  // namespace

absl::Status Ping(Database& database) {
  return database.Transact([](Transaction& t) {
    t.Exec(kPing);
    return absl::OkStatus();
  });
}

absl::StatusOr<Vitals> ReadVitals(Database& database, absl::Duration lease_ttl) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<Vitals> {
    const pqxx::row row = t.Exec(kVitals, {absl::ToDoubleSeconds(lease_ttl)})[0];
    Vitals vitals;
    vitals.leased = row[0].as<int64_t>();
    vitals.heartbeat_age_seconds = row[1].as<double>();
    vitals.notification_queue_usage = row[2].as<double>();
    vitals.oldest_transaction = row[3].as<double>();
    int column = 4;
    for (const char* state : {"run", "cordoned", "drained", "quarantined", "lost"}) {
      vitals.workers[state] = row[column++].as<int64_t>();
    }
    return vitals;
  });
}

absl::StatusOr<RunCounts> CountRuns(Database& database) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<RunCounts> {
    RunCounts counts{};
    for (const auto& row : t.Exec(kCountRuns)) {
      counts.at(row[0].as<size_t>()) = row[1].as<int64_t>();
    }
    return counts;
  });
}

}  // namespace gridsweep::coordinator

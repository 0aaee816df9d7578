#include "coordinator/store/workers.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

// Leases are counted as in vitals.cc.
constexpr char kSelectWorker[] = R"(
  select w.worker_id, w.name, w.host, w.slots, coalesce(l.n, 0), w.resource_class, w.numerics_id,
         w.version, w.directive, (extract(epoch from w.registered_at) * 1000000)::bigint,
         (extract(epoch from g.seen_at) * 1000000)::bigint,
         g.seen_at > clock_timestamp() - $2::float8 * interval '1 second', w.releasing,
         w.directive_reason
  from workers w join worker_sightings g using (worker_id)
  left join (
    select worker_id + 0 as worker_id, count(expires_at) as n from leases group by 1) l
    using (worker_id) )";

constexpr Statement kCordon{
    "cordon_worker", "update workers set directive = greatest(directive, 2) where name = $1"};
constexpr Statement kDrain{
    "drain_worker",
    "update workers set directive = greatest(directive, 2), releasing = true where name = $1"};
constexpr Statement kUncordon{
    "uncordon_worker",
    "update workers set directive = 1, releasing = false, directive_reason = '' where name = $1"};
constexpr Statement kForgetFailures{"forget_failures_of_worker", R"(
  delete from worker_failures f using workers w where w.worker_id = f.worker_id and w.name = $1)"};

v1::Worker ReadWorker(const pqxx::row& row) {
  v1::Worker worker;
  worker.set_worker_id(row[0].as<int64_t>());
  worker.set_name(row[1].c_str());
  worker.set_host(row[2].c_str());
  worker.set_slots(row[3].as<unsigned>());
  worker.set_leased(row[4].as<unsigned>());
  worker.set_resource_class(row[5].c_str());
  worker.set_numerics_id(row[6].c_str());
  worker.set_version(row[7].c_str());
  worker.set_directive(static_cast<v1::WorkerDirective>(row[8].as<int>()));
  *worker.mutable_registered_at() = FromMicros(row[9]);
  *worker.mutable_seen_at() = FromMicros(row[10]);
  worker.set_live(row[11].as<bool>());
  worker.set_releasing(row[12].as<bool>());
  worker.set_directive_reason(row[13].c_str());
  return worker;
}

// Executes `statements`, each with the worker's name, and reads the worker.
absl::StatusOr<v1::Worker> Tell(Database& database, const std::string& name, absl::Duration ttl,
                                const std::vector<Statement>& statements) {
  static const std::string sql = StrCat(kSelectWorker, "where w.name = $1");
  static const Statement kFind{"get_worker", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<v1::Worker> {
    for (const Statement& statement : statements) t.Exec(statement, {name});
    const pqxx::result rows = t.Exec(kFind, {name, absl::ToDoubleSeconds(ttl)});
    if (rows.empty()) return absl::NotFoundError(StrCat("there is no worker \"", name, "\""));
    return ReadWorker(rows[0]);
  });
}

}  // namespace

absl::StatusOr<std::vector<v1::Worker>> ListWorkers(Database& database, bool all,
                                                    absl::Duration ttl, const std::string& after,
                                                    int limit) {
  static const std::string sql = StrCat(kSelectWorker, R"(
  where ($1 or w.directive = 3
         or g.seen_at > clock_timestamp() - 3 * $2::float8 * interval '1 second')
    and w.name > $3
  order by w.name limit $4)");
  static const Statement kList{"list_workers", sql.c_str()};
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::vector<v1::Worker>> {
    std::vector<v1::Worker> workers;
    for (const auto& row : t.Exec(kList, {all, absl::ToDoubleSeconds(ttl), after, limit})) {
      workers.push_back(ReadWorker(row));
    }
    return workers;
  });
}

absl::StatusOr<v1::Worker> CordonWorker(Database& database, const std::string& name,
                                        absl::Duration ttl) {
  return Tell(database, name, ttl, {kCordon});
}

absl::StatusOr<v1::Worker> DrainWorker(Database& database, const std::string& name,
                                       absl::Duration ttl) {
  return Tell(database, name, ttl, {kDrain});
}

absl::StatusOr<v1::Worker> UncordonWorker(Database& database, const std::string& name,
                                          absl::Duration ttl) {
  return Tell(database, name, ttl, {kUncordon, kForgetFailures});
}

}  // namespace gridsweep::coordinator

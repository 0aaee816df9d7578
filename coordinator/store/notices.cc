#include "coordinator/store/notices.h"

namespace gridsweep::coordinator {
namespace {

// Cheap probes first: leases are few, and runs that wait have indexes of their own, in the orders
// asked for here (else the planner reads a million finished runs to find one that waits). The
// count, which reads all of a sweep's runs, is for those that pass; what it finds decides.
constexpr Statement kLockEnded{"lock_sweeps_that_seem_ended", R"(
    select sweep_id from sweeps s
    where notify_url <> '' and notified_at is null and deleted_at is null
      and not exists (select from leases l where l.sweep_id = s.sweep_id)
      and (select true from run_state r where r.sweep_id = s.sweep_id and r.state = 0
           order by r.class, r.queue_pos limit 1) is null
      and (select true from run_state r where r.sweep_id = s.sweep_id and r.state = 1
           order by r.not_before limit 1) is null
      and (select true from run_state r where r.sweep_id = s.sweep_id and r.state = 2
           limit 1) is null
    order by sweep_id limit $1 for update skip locked)"};
// Under that lock no run of theirs starts to wait again, and this statement sees what has.
constexpr Statement kWrite{"write_notices_of_ended_sweeps", R"(
  with c as (
    select s.sweep_id, s.name, s.notify_url, n.*, gen_random_uuid() as notice_id
    from sweeps s cross join lateral (
      select count(*) filter (where state < 4) as unfinished,
             count(*) filter (where state = 4) as succeeded,
             count(*) filter (where state = 5) as diverged,
             count(*) filter (where state = 6) as failed,
             count(*) filter (where state = 7) as cancelled,
             count(*) as total, max(changed_at) as finished_at
      from run_state r where r.sweep_id = s.sweep_id) n
    where s.sweep_id = any($1::int[]) and s.notified_at is null),
  m as (
    update sweeps set notified_at = clock_timestamp()
    from c where sweeps.sweep_id = c.sweep_id and c.unfinished = 0 returning sweeps.sweep_id)
  insert into sweep_notices (notice_id, sweep_id, url, body)
  select notice_id, sweep_id, notify_url, json_build_object(
           'id', notice_id, 'event', 'sweep.ended', 'sweep_id', sweep_id, 'name', name,
           'counts', json_build_object('total', total, 'succeeded', succeeded,
             'diverged', diverged, 'failed', failed, 'cancelled', cancelled),
           'finished_at', to_char(finished_at at time zone 'UTC',
                                  'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text
  from c join m using (sweep_id) returning 1)"};
constexpr Statement kTake{"take_notice", R"(
  update sweep_notices
  set tries = tries + 1, next_try_at = clock_timestamp() + $1::float8 * interval '1 second'
  where notice_id = (
    select notice_id from sweep_notices
    where delivered_at is null and given_up_at is null and next_try_at <= clock_timestamp()
    order by next_try_at limit 1 for update skip locked)
  returning notice_id, sweep_id, url, body, tries)"};
constexpr Statement kDelivered{"mark_notice_delivered", R"(
  update sweep_notices set delivered_at = clock_timestamp(), last_error = ''
  where notice_id = $1::uuid)"};
constexpr Statement kUndelivered{"mark_notice_undelivered", R"(
  update sweep_notices
  set last_error = $2, next_try_at = clock_timestamp() + $3::float8 * interval '1 second',
      given_up_at = case when created_at < clock_timestamp() - $4::float8 * interval '1 second'
                         then clock_timestamp() end
  where notice_id = $1::uuid returning given_up_at is not null)"};
constexpr Statement kDrop{"drop_old_notices", R"(
  delete from sweep_notices
  where coalesce(delivered_at, given_up_at) < clock_timestamp() - $1::float8 * interval '1 second')"};

}  // namespace

absl::StatusOr<int> WriteNotices(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    Params ids;
    for (const auto& row : t.Exec(kLockEnded, {limit})) ids.emplace_back(row[0].as<int>());
    return ids.empty() ? 0 : static_cast<int>(t.Exec(kWrite, {Array(ids)}).size());
  });
}

absl::StatusOr<std::optional<Notice>> TakeNotice(Database& database, absl::Duration hold) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<std::optional<Notice>> {
    const pqxx::result rows = t.Exec(kTake, {absl::ToDoubleSeconds(hold)});
    if (rows.empty()) return std::optional<Notice>();
    const pqxx::row row = rows[0];
    return std::optional<Notice>(
        {row[0].c_str(), row[1].as<int64_t>(), row[2].c_str(), row[3].c_str(), row[4].as<int>()});
  });
}

absl::Status MarkDelivered(Database& database, const Notice& notice) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kDelivered, {notice.id});
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> MarkUndelivered(Database& database, const Notice& notice,
                                     const std::string& error, absl::Duration pause,
                                     absl::Duration give_up) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<bool> {
    const pqxx::result rows = t.Exec(kUndelivered, {notice.id, error, absl::ToDoubleSeconds(pause),
                                                    absl::ToDoubleSeconds(give_up)});
    return !rows.empty() && rows[0][0].as<bool>();
  });
}

absl::Status DropNotices(Database& database, absl::Duration keep) {
  return database.Transact([&](Transaction& t) {
    t.Exec(kDrop, {absl::ToDoubleSeconds(keep)});
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

#include "coordinator/store/quarantine.h"

#include <algorithm>

#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

constexpr Statement kStreak{"read_failures_of_worker", R"(
  select count(distinct run_id), count(distinct occasion),
         (select string_agg(run_id::text, ', ')
          from (select distinct run_id from worker_failures where worker_id = $1
                order by run_id limit 10) r),
         (select directive = 3 from workers where worker_id = $1)
  from worker_failures where worker_id = $1)"};
constexpr Statement kQuarantine{"quarantine_worker", R"(
  update workers set directive = 3, directive_reason = $2
  where worker_id = $1 and directive <> 3 returning name)"};
constexpr Statement kTakeBack{"take_back_failures_of_worker", R"(
  with back as (
    update attempts a set counted = false
    from worker_failures f
    where f.worker_id = $1 and a.run_id = f.run_id and a.attempt = f.attempt and a.counted
      and not (f.crashed and exists (
        select from worker_failures o
        where o.run_id = f.run_id and o.worker_id <> f.worker_id and o.crashed))
    returning a.run_id),
  n as (select run_id, count(*) as n from back group by run_id)
  update run_state r
  set failures = r.failures - n.n,
      state = case when r.state not in (1, 6) then r.state
                   when s.cancelled_at is not null or s.stopped_at is not null then 7
                   when s.paused_at is not null then 2
                   else 0 end,
      queue_pos = case when r.state in (1, 6) then nextval('queue_pos_seq') else r.queue_pos end,
      not_before = null, changed_at = clock_timestamp()
  from n, sweeps s where r.run_id = n.run_id and s.sweep_id = r.sweep_id
  returning r.run_id, r.state)"};
// Their end is to be told again.
constexpr Statement kNotEnded{"mark_sweeps_not_ended", R"(
  update sweeps set notified_at = null
  where notified_at is not null
    and sweep_id in (select sweep_id from runs where run_id = any($1::bigint[])))"};

}  // namespace

Judgement JudgeWorker(Transaction& t, int64_t worker_id, int after) {
  Judgement judgement;
  if (after <= 0) return judgement;
  const pqxx::row streak = t.Exec(kStreak, {worker_id})[0];
  const auto runs = streak[0].as<int64_t>();
  // A result ends the streak, not the quarantine.
  const bool quarantined_before = streak[3].as<bool>();
  if (!quarantined_before && std::min(runs, streak[1].as<int64_t>()) < after) return judgement;
  const pqxx::result quarantined =
      t.Exec(kQuarantine, {worker_id, StrCat("failed ", runs, " different runs in a row: ",
                                             streak[2].c_str(), runs > 10 ? ", ..." : "")});
  if (!quarantined.empty()) judgement.quarantined = quarantined[0][0].c_str();
  Params waiting;
  for (const auto& row : t.Exec(kTakeBack, {worker_id})) {
    judgement.taken_back.push_back({row[0].as<int64_t>(), static_cast<State>(row[1].as<int>())});
    waiting.emplace_back(row[0].as<int64_t>());
  }
  if (!waiting.empty()) t.Exec(kNotEnded, {Array(waiting)});
  return judgement;
}

}  // namespace gridsweep::coordinator

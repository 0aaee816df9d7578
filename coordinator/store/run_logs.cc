#include "coordinator/store/run_logs.h"

#include <sstream>

#include "common/strings.h"
#include "coordinator/store/sweeps.h"

namespace gridsweep::coordinator {
namespace {

// Lines come by worker and heartbeat, and the beats of one worker through several coordinators:
// each adds what it heard.
constexpr Statement kKeep{"keep_live_lines", R"(
  insert into live_logs as v (run_id, attempt, lines)
  select k.run_id, k.attempt, string_to_array(k.lines, E'\n')
  from unnest($1::bigint[], $2::int[], $3::text[]) as k(run_id, attempt, lines)
  cross join lateral (select attempt from leases where leases.run_id = k.run_id offset 0) l
  where l.attempt = k.attempt
  order by k.run_id
  on conflict (run_id) do update
  set attempt = excluded.attempt,
      lines = case when v.attempt < excluded.attempt then excluded.lines
                   else (v.lines || excluded.lines)
                        [greatest(1, cardinality(v.lines) + cardinality(excluded.lines) - 49):] end
  where v.attempt <= excluded.attempt)"};
constexpr Statement kDropKept{"drop_live_lines", R"(
  with old as (
    select v.run_id, v.attempt from live_logs v
    where not exists (select from leases l where l.run_id = v.run_id and l.attempt = v.attempt)
    limit $1),
  gone as (
    delete from live_logs v using old where v.run_id = old.run_id and v.attempt = old.attempt
    returning 1)
  select count(*) from gone)"};

constexpr Statement kRun{"find_run_of_log", R"(
  select st.state from runs r join run_state st using (run_id) join sweeps s on s.sweep_id = r.sweep_id
  where r.run_id = $1 and s.deleted_at is null)"};
constexpr Statement kEnded{"read_logs_of_attempts", R"(
  select attempt, worker, log_tail from attempts
  where run_id = $1 and attempt >= $2 order by attempt limit $3)"};
constexpr Statement kLive{"read_live_lines", R"(
  select l.attempt, w.name, coalesce(array_to_string(v.lines, E'\n'), '')
  from leases l join workers w using (worker_id)
  left join live_logs v on v.run_id = l.run_id and v.attempt = l.attempt
  where l.run_id = $1 and l.attempt >= $2)"};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

}  // namespace

absl::Status KeepLines(Database& database, std::span<const NewLines> added) {
  if (added.empty()) return absl::OkStatus();
  Params runs, attempts, texts;
  for (const NewLines& lines : added) {
    std::string text;
    for (const std::string& line : lines.lines) text += line + "\n";
    text.pop_back();
    runs.emplace_back(lines.run_id);
    attempts.emplace_back(lines.attempt);
    texts.emplace_back(std::move(text));
  }
  return database.Transact([&](Transaction& t) {
    t.Exec(kKeep, {Array(runs), Array(attempts), Array(texts)});
    return absl::OkStatus();
  });
}

absl::StatusOr<int> DropKeptLines(Database& database, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<int> {
    return t.Exec(kDropKept, {limit})[0][0].as<int>();
  });
}

absl::StatusOr<RunLog> ReadRunLog(Database& database, int64_t run_id, int from, int limit) {
  return database.Transact([&](Transaction& t) -> absl::StatusOr<RunLog> {
    // The state first: what has ended by then has left its attempt for the next statement.
    const pqxx::result run = t.Exec(kRun, {run_id});
    if (run.empty()) return absl::NotFoundError(StrCat("there is no run ", run_id));
    RunLog log;
    log.ended = run[0][0].as<int>() >= static_cast<int>(State::kSucceeded);
    const pqxx::result live = t.Exec(kLive, {run_id, from});
    const pqxx::result ended = t.Exec(kEnded, {run_id, from, limit});
    log.all = static_cast<int>(ended.size()) < limit;
    const auto add = [&](const pqxx::row& row) {
      const int attempt = row[0].as<int>();
      if (!log.attempts.empty() && log.attempts.back().attempt == attempt) return;
      log.attempts.push_back({attempt, row[1].c_str(), Split(row[2].c_str())});
    };
    for (const auto& row : ended) add(row);
    if (log.all) {
      for (const auto& row : live) add(row);
    }
    return log;
  });
}

}  // namespace gridsweep::coordinator

#include "tests/chaos/judge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/strings.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What must be 0. $ stands for the sweep.
constexpr struct {
  const char* what;
  const char* sql;
} kNone[] = {
    {"runs without SUCCEEDED or DIVERGED",
     "select count(*) from run_state where sweep_id = $ and state not in (4, 5)"},
    {"runs whose result and state differ",
     "select count(*) from run_state s full join run_results r using (run_id) "
     "where coalesce(s.sweep_id, r.sweep_id) = $ "
     "and (s.state is distinct from 3 + r.outcome)"},
    {"leases left", "select count(*) from leases where sweep_id = $"},
    {"runs that do not have exactly one attempt with a result",
     "select count(*) from runs r where sweep_id = $ and (select count(*) from attempts a "
     "where a.run_id = r.run_id and a.outcome in ('succeeded', 'diverged')) <> 1"},
    {"runs whose attempts do not count from 1 to the last",
     "select count(*) from run_state s where sweep_id = $ and (select array_agg(attempt order by "
     "attempt) from attempts a where a.run_id = s.run_id) is distinct from "
     "(select array_agg(n) from generate_series(1, s.attempt) as n)"},
    {"runs with other units than their result says",
     "select count(*) from run_results r where sweep_id = $ and unit_count <> "
     "(select count(*) from units u where u.run_id = r.run_id)"},
    // A fault of the machinery is no fault of a run: only lost attempts may count.
    {"attempts that failed",
     "select count(*) from attempts join runs using (run_id) where sweep_id = $ "
     "and outcome in ('failed', 'cancelled')"},
    {"runs with more failures than lost attempts",
     "select count(*) from run_state s where sweep_id = $ and failures > (select count(*) "
     "from attempts a where a.run_id = s.run_id and outcome = 'lost')"},
};

std::string Of(std::string sql, const std::string& sweep) {
  for (size_t at; (at = sql.find('$')) != std::string::npos;) sql.replace(at, 1, sweep);
  return sql;
}

std::set<std::string> Lines(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

// The file of every result is there, and nothing else is left: no file, no row, no half of an
// upload. Ours and sweepctl's own look must agree.
void JudgeFiles(World& world) {
  std::string fault;
  const auto clean = [&] {
    std::set<std::string> files, left;
    for (const auto& entry : fs::recursive_directory_iterator(world.artifacts())) {
      const fs::path& path = entry.path();
      if (path.extension() == ".h5") {
        files.insert(path.stem());
      } else if (path.parent_path().filename() == "tmp") {
        left.insert(path.filename());
      }
    }
    const auto named = Lines(world.Sql(
        "select distinct encode(artifact, 'hex') from run_results where artifact is not null"));
    const auto rows = Lines(world.Sql("select encode(sha256, 'hex') from artifacts"));
    const std::string pending = world.Sql(
        "select (select count(*) from artifact_uploads) + (select count(*) from artifact_garbage) "
        "+ (select count(*) from checkpoints)");
    fault = StrCat(files.size(), " files, ", rows.size(), " rows, ", named.size(),
                   " files that results name, ", left.size(), " halves of uploads, ", pending,
                   " rows of uploads, garbage and checkpoints");
    return files == named && rows == named && left.empty() && pending == "0";
  };
  // The collector waits for its grace.
  if (!Within(clean, std::chrono::seconds(60))) world.Complain(fault);
  const Ran checked = world.Sweepctl({"artifacts", "check"});
  if (checked.code != 0) {
    world.Complain(StrCat("artifacts check: ", checked.out, checked.err));
  }
}

}  // namespace

int64_t Finished(const World& world, const std::string& sweep) {
  const std::string n =
      world.Sql(Of("select count(*) from run_state where sweep_id = $ and state > 3", sweep));
  return n.empty() ? -1 : std::stoll(n);
}

void Judge(World& world, const std::string& sweep, int64_t runs) {
  for (const auto& [what, sql] : kNone) {
    const std::string n = world.Sql(Of(sql, sweep));
    if (n != "0") world.Complain(StrCat(n, " ", what));
  }
  const std::string results =
      world.Sql(Of("select count(*) from run_results where sweep_id = $", sweep));
  if (results != StrCat(runs)) world.Complain(StrCat(results, " results of ", runs, " runs"));
  JudgeFiles(world);

  const Ran verified = world.Sweepctl({"verify", sweep});
  if (verified.code != 0 || verified.out.find(" 0 faults") == std::string::npos) {
    world.Complain(StrCat("verify: ", verified.out, verified.err));
  }
  const Ran got = world.Sweepctl({"describe", "sweep", sweep, "-o", "json"});
  const json described = got.code == 0 ? json::parse(got.out) : json();
  int64_t counted = 0;
  if (described.contains("counts")) {
    for (const char* state : {"succeeded", "diverged"}) {
      const json count = described.at("counts").value(state, json(0));
      counted += count.is_string() ? std::stoll(count.get<std::string>()) : count.get<int64_t>();
    }
  }
  if (counted != runs) {
    world.Complain(StrCat("sweepctl counts ", counted, " of ", runs, ": ", got.out, got.err));
  }
}

std::string Attempts(const World& world, const std::string& sweep) {
  return world.Sql(
      Of("select format('  %s %s %s', count(*), outcome, left(error, 100)) from attempts join runs "
         "using (run_id) where sweep_id = $ group by outcome, left(error, 100) order by 1",
         sweep));
}

}  // namespace gridsweep::testing

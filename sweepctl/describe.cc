#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <vector>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/run_state.h"
#include "sweepctl/run_text.h"
#include "sweepctl/shortage.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

bool IsProse(Format format) {
  return format == Format::kAuto || format == Format::kTable || format == Format::kWide;
}

// "Key:        value", aligned.
void Field(std::ostream& out, const std::string& key, const std::string& value) {
  if (!value.empty()) out << absl::StrFormat("%-16s %s\n", key + ":", Printable(value));
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  const Cell cell = Time(time);
  return StrCat(cell.machine, " (", cell.text, ")");
}

void PrintMessage(Session& session, const google::protobuf::Message& message,
                  const std::string& name) {
  Listing listing;
  listing.document = ToJson(message);
  listing.items = {*listing.document};
  listing.names = {name};
  session.Print(listing);
}

absl::StatusOr<int> DescribeSweep(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  if (session.format() == Format::kCsv) return UsageError("describe has no csv; use get");
  if (!IsProse(session.format())) {
    PrintMessage(session, sweep, std::to_string(sweep.sweep_id()));
    return kDone;
  }
  std::ostream& out = session.console().out;
  Field(out, "Sweep", std::to_string(sweep.sweep_id()));
  Field(out, "Name", sweep.name());
  Field(out, "Method", sweep.method());
  Field(out, "Created", TimeText(sweep.created_at()));
  Field(out, "Status", StatusText(sweep));
  Field(out, "Paused", TimeText(sweep.paused_at()));
  Field(out, "Stopped", TimeText(sweep.stopped_at()));
  Field(out, "Cancelled", TimeText(sweep.cancelled_at()));
  Field(out, "Runs", StrCat(WithCommas(sweep.counts().total()), ": ", CountsText(sweep.counts())));
  if (sweep.counts().reused() > 0) {
    Field(out, "Reused",
          StrCat(WithCommas(sweep.counts().reused()), " results of runs in other sweeps"));
  }
  if (sweep.counts().total() > 0) {
    Field(out, "Run ids",
          StrCat(sweep.first_run_id(), " .. ", sweep.first_run_id() + sweep.counts().total() - 1));
  }
  Field(out, "Priority", std::to_string(sweep.settings().priority()));
  if (!sweep.settings().notify_url().empty()) {
    Field(out, "Told at its end", sweep.settings().notify_url());
  }
  if (sweep.settings().has_max_attempts()) {
    Field(out, "Max attempts", std::to_string(sweep.settings().max_attempts()));
  }
  if (sweep.settings().max_parallel() > 0) {
    Field(out, "Max parallel", std::to_string(sweep.settings().max_parallel()));
  }
  const std::string& resource_class = sweep.settings().resources().resource_class();
  if (resource_class != "any") Field(out, "Class", resource_class);
  if (const uint64_t memory = sweep.settings().resources().memory_bytes(); memory > 0) {
    Field(out, "Memory", absl::StrFormat("%.4g GiB free for each run", std::ldexp(memory, -30)));
  }
  if (sweep.counts().pending() > 0) {
    ASSIGN_OR_RETURN(const std::string lacks, AskShortage(*client, sweep.settings()));
    Field(out, "Waits for", lacks);
  }
  for (const auto& [key, value] : sweep.settings().labels()) Field(out, "Label", key + "=" + value);
  if (sweep.has_sampler_seed()) Field(out, "Sampler seed", std::to_string(sweep.sampler_seed()));
  if (!sweep.source_yaml().empty()) {
    out << "\n"
        << PrintableLines(sweep.source_yaml()) << (sweep.source_yaml().back() == '\n' ? "" : "\n");
  }
  return kDone;
}

constexpr size_t kCurveRows = 12;

// At most kCurveRows of `points`, evenly spaced from the last one back.
std::vector<int> Thinned(const std::vector<int>& points) {
  const size_t stride = std::max<size_t>(1, (points.size() + kCurveRows - 1) / kCurveRows);
  std::vector<int> kept;
  for (size_t back = 0; back < points.size(); back += stride) {
    kept.push_back(points[points.size() - 1 - back]);
  }
  return kept;
}

// When did grids appear? The evaluations, or, where there are few, a dozen
// points of the curve as well; -o json has all.
void PrintCurve(Console& console, const v1::GetRunResponse& response) {
  // Of the published thresholds (CurvePoint.fraction_above), the one that makes a grid cell.
  constexpr int kAbove08 = 2;
  const int n = response.learning_curve_size();
  if (n == 0) return;
  std::vector<int> all, evaluations;
  for (int i = 0; i < n; ++i) {
    all.push_back(i);
    if (response.learning_curve(i).has_error_cm()) evaluations.push_back(i);
  }
  const std::vector<int> evaluated = Thinned(evaluations);
  std::set<int> chosen(evaluated.begin(), evaluated.end());
  if (chosen.size() < kCurveRows / 2) {
    for (const int i : Thinned(all)) chosen.insert(i);
  }
  std::vector<std::vector<Cell>> rows;
  for (const int i : chosen) {
    const v1::CurvePoint& point = response.learning_curve(i);
    rows.push_back({Integer(static_cast<int64_t>(point.step())),
                    point.has_loss() ? Real(point.loss(), 4) : Missing(),
                    point.has_error_cm() ? Real(point.error_cm(), 1) : Missing(),
                    point.fraction_above_size() > kAbove08 ? Real(point.fraction_above(kAbove08), 4)
                                                           : Missing()});
  }
  std::ostream& out = console.out;
  out << "\nLearning curve (" << rows.size() << " of " << n
      << " points; units with grid_score_60 > 0.8)\n"
      << AlignedTable(console,
                      {{"STEP", true}, {"LOSS", true}, {"ERROR CM", true}, {"UNITS > 0.8", true}},
                      rows);
}

// Of an attempt before the last one; -o json has all that was kept.
constexpr size_t kLogLines = 10;

// The end of `log`, whole lines.
std::string LastLines(const std::string& log, size_t lines) {
  size_t start = log.size();
  while (start > 0 && (log[start - 1] != '\n' || start == log.size() || lines-- > 1)) --start;
  return log.substr(start);
}

void PrintAttempts(Console& console, const v1::GetRunResponse& response) {
  std::ostream& out = console.out;
  if (response.attempts().empty()) return;
  std::vector<std::vector<Cell>> rows;
  for (const auto& attempt : response.attempts()) {
    rows.push_back({Number(attempt.attempt()), Text(attempt.worker()), Text(attempt.host()),
                    Time(attempt.granted_at()), Time(attempt.ended_at()), Text(attempt.outcome()),
                    Text(attempt.counted() ? "yes" : "no"), Text(attempt.error())});
  }
  out << "\nAttempts (COUNTS: against max_attempts)\n"
      << AlignedTable(console,
                      {{"ATTEMPT", true},
                       {"WORKER"},
                       {"HOST"},
                       {"GRANTED"},
                       {"ENDED"},
                       {"OUTCOME"},
                       {"COUNTS"},
                       {"ERROR"}},
                      rows);
  for (const auto& attempt : response.attempts()) {
    if (!attempt.has_withdrawn()) continue;
    const v1::WithdrawnResult& result = attempt.withdrawn();
    out << "\nAttempt " << attempt.attempt() << " " << attempt.outcome() << " at step "
        << result.steps() << "; a retry took its result away, " << TimeText(result.withdrawn_at())
        << "\n";
    const std::map<std::string, double> metrics(result.metrics().begin(), result.metrics().end());
    for (const auto& [name, value] : metrics) {
      out << absl::StrFormat("  %-28s %s\n", name, Real(value, 4).text);
    }
  }
  for (int i = 0; i < response.attempts_size(); ++i) {
    const v1::Attempt& attempt = response.attempts(i);
    if (attempt.log_tail().empty()) continue;
    const bool last = i + 1 == response.attempts_size();
    const std::string log = last ? attempt.log_tail() : LastLines(attempt.log_tail(), kLogLines);
    out << "\nLog of attempt " << attempt.attempt() << "\n"
        << PrintableLines(log) << (log.back() == '\n' ? "" : "\n");
  }
}

void PrintRun(Console& console, const v1::GetRunResponse& response) {
  std::ostream& out = console.out;
  const v1::Run& run = response.run();
  Field(out, "Run", std::to_string(run.run_id()));
  Field(out, "Sweep", StrCat(run.sweep_id(), ", ordinal ", run.ordinal()));
  Field(out, "State", StateText(run.state()));
  Field(out, "Readout", StrCat(run.readout(), " (", run.readout_family(), ")"));
  Field(out, "Worker", run.worker());
  Field(out, "Failures", std::to_string(run.failures()));
  if (run.has_progress() && run.state() == v1::RUN_STATE_LEASED) {
    Field(out, "Progress",
          StrCat(PhaseText(run.progress().phase()), ", step ", run.progress().step(), " of ",
                 run.progress().total_steps()));
  }
  Field(out, "Finished", TimeText(run.finished_at()));
  Field(out, "Config hash", run.config_hash());
  if (run.reused_from_run_id() > 0) {
    Field(out, "Reused", StrCat("the result of run ", run.reused_from_run_id()));
  }
  Field(out, "Artifact", run.artifact_sha256());
  if (!run.numerics_id().empty()) {
    Field(out, "Numerics", StrCat(run.numerics_id(), ", science version ", run.science_version()));
  }
  if (!run.metrics().empty()) {
    out << "\nMetrics\n";
    // In the order of their names: a proto map has none.
    const std::map<std::string, double> metrics(run.metrics().begin(), run.metrics().end());
    for (const auto& [name, value] : metrics) {
      out << absl::StrFormat("  %-28s %s\n", name, Real(value, 4).text);
    }
  }
  PrintCurve(console, response);
  PrintAttempts(console, response);
  nlohmann::ordered_json config = ToJson(run.config());
  out << "\nConfig\n";
  for (const auto& [key, value] : config.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (value.is_object() && value.contains("constant")) text = value["constant"].dump();
    out << absl::StrFormat("  %-28s %s\n", key, text);
  }
}

absl::StatusOr<int> DescribeRun(Session& session, const std::string& name) {
  const auto id = ParseId(name);
  if (!id) return UsageError(StrCat("run \"", name, "\" is not an id: a whole number from 1 up"));
  if (session.format() == Format::kCsv) return UsageError("describe has no csv; use get");
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::GetRunRequest request;
  request.set_run_id(*id);
  ASSIGN_OR_RETURN(auto response,
                   client->Call(client->sweeps(), &v1::SweepService::Stub::GetRun, request));
  while (!response.next_attempts_page_token().empty()) {
    request.set_attempts_page_token(response.next_attempts_page_token());
    ASSIGN_OR_RETURN(auto page,
                     client->Call(client->sweeps(), &v1::SweepService::Stub::GetRun, request));
    response.mutable_attempts()->MergeFrom(page.attempts());
    response.set_next_attempts_page_token(page.next_attempts_page_token());
  }
  if (IsProse(session.format())) {
    PrintRun(session.console(), response);
  } else {
    PrintMessage(session, response, name);
  }
  return kDone;
}

}  // namespace

void AddDescribe(CLI::App& app, Session& session) {
  CLI::App* describe =
      AddVerb(app, "describe", "Tell all about a sweep or a run", "sweepctl describe run 12");
  describe->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  CLI::App* sweep = AddVerb(*describe, "sweep", "A sweep: counts, settings, its file",
                            "sweepctl describe sweep 3");
  sweep->alias("sw");
  sweep->add_option("SWEEP", *name, "Id or name")->required();
  session.OnRun(sweep, [&session, name] { return DescribeSweep(session, *name); });
  CLI::App* run = AddVerb(*describe, "run", "A run: results, learning curve, attempts, config",
                          "sweepctl describe run 12 -o json | jq .learning_curve");
  run->add_option("RUN", *name, "Id")->required();
  session.OnRun(run, [&session, name] { return DescribeRun(session, *name); });
}

}  // namespace gridsweep::sweepctl

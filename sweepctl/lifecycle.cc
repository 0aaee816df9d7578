// pause, resume, stop, cancel, retry, delete: what can be done to a sweep that is there.
#include <absl/strings/ascii.h>

#include <istream>
#include <ostream>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/number_check.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/run_state.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

// How long delete --force waits for workers to give up their runs: a lease of
// a worker that has died takes a lease time to expire.
constexpr absl::Duration kLongestWait = absl::Minutes(3);
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

std::string TitleOf(const v1::Sweep& sweep) {
  return StrCat("sweep ", sweep.sweep_id(), sweep.name().empty() ? "" : " (" + sweep.name() + ")");
}

// What `verb` would do for good is asked on a terminal, and elsewhere needs --yes.
absl::Status CheckMayAsk(const Console& console, const std::string& verb, const std::string& does,
                         bool yes) {
  if (yes || console.in_terminal) return absl::OkStatus();
  return UsageError(
      StrCat(verb, " ", does, " for good: without a terminal to ask on it needs --yes"));
}

bool Confirm(Console& console, const std::string& question) {
  console.err << Printable(question) << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(console.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// One row: the sweep and the counts that a call answered.
void PrintCounts(Session& session, int64_t sweep_id,
                 const std::vector<std::pair<std::string, int64_t>>& counts,
                 const google::protobuf::Message& response) {
  Listing listing;
  listing.columns = {{"SWEEP", true}};
  listing.rows = {{Number(sweep_id)}};
  for (const auto& [title, count] : counts) {
    listing.columns.push_back({title, true});
    listing.rows[0].push_back(Integer(count));
  }
  listing.document = ToJson(response);
  listing.items = {*listing.document};
  listing.names = {std::to_string(sweep_id)};
  session.Print(listing);
}

// Calls `method` on a sweep, with nothing to say but its id.
template <typename Request, typename Response>
absl::StatusOr<Response> CallOn(Client& client, int64_t sweep_id,
                                grpc::Status (v1::SweepService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&,
                                                                               Response*)) {
  Request request;
  request.set_sweep_id(sweep_id);
  return client.Call(client.sweeps(), method, request);
}

absl::StatusOr<int> Pause(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  ASSIGN_OR_RETURN(const auto response,
                   CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::PauseSweep));
  PrintCounts(session, sweep.sweep_id(),
              {{"PAUSED", response.paused()}, {"RUNNING", response.leased()}}, response);
  return kDone;
}

absl::StatusOr<int> Resume(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  ASSIGN_OR_RETURN(const auto response,
                   CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::ResumeSweep));
  PrintCounts(session, sweep.sweep_id(), {{"RESUMED", response.resumed()}}, response);
  return kDone;
}

absl::StatusOr<int> Stop(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  ASSIGN_OR_RETURN(const auto response,
                   CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::StopSweep));
  PrintCounts(session, sweep.sweep_id(),
              {{"CANCELLED", response.cancelled()}, {"RUNNING", response.leased()}}, response);
  return kDone;
}

absl::StatusOr<int> Cancel(Session& session, const std::string& name, bool yes) {
  Console& console = session.console();
  RETURN_IF_ERROR(CheckMayAsk(console, "cancel", "ends runs", yes));
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  if (!yes &&
      !Confirm(console, StrCat("Cancel ", TitleOf(sweep), ": ", CountsText(sweep.counts())))) {
    console.err << "Nothing was cancelled.\n";
    return kUsage;
  }
  ASSIGN_OR_RETURN(const auto response,
                   CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::CancelSweep));
  PrintCounts(session, sweep.sweep_id(),
              {{"CANCELLED", response.cancelled()}, {"CANCELLING", response.cancelling()}},
              response);
  if (response.cancelling() > 0) {
    console.err << response.cancelling() << " running stop at their worker's next heartbeat.\n";
  }
  return kDone;
}

absl::StatusOr<int> Retry(Session& session, const std::string& name,
                          const std::vector<std::string>& filters,
                          const std::vector<int64_t>& runs) {
  v1::RetrySweepRequest request;
  for (const std::string& filter : filters) {
    const v1::RunState state = ParseState(filter).value_or(v1::RUN_STATE_UNSPECIFIED);
    if (state != v1::RUN_STATE_FAILED && state != v1::RUN_STATE_DIVERGED &&
        state != v1::RUN_STATE_CANCELLED) {
      return UsageError(
          StrCat("--filter: \"", filter, "\" is not one of failed, diverged, cancelled"));
    }
    request.add_states(state);
  }
  for (const int64_t run : runs) request.add_run_ids(run);
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  request.set_sweep_id(sweep.sweep_id());
  // Results go with their units, in one transaction.
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->sweeps(), &v1::SweepService::Stub::RetrySweep, request,
                                absl::Minutes(2)));
  PrintCounts(session, sweep.sweep_id(), {{"RETRIED", response.retried()}}, response);
  if (response.retried() == 0) {
    session.console().err << "No run matches; the sweep has " << CountsText(sweep.counts())
                          << ".\n";
  } else if (sweep.has_paused_at()) {
    session.console().err << "The sweep is paused: `sweepctl resume " << sweep.sweep_id()
                          << "` lets them start.\n";
  }
  return kDone;
}

absl::StatusOr<int> Delete(Session& session, const std::string& name, bool yes, bool force) {
  Console& console = session.console();
  RETURN_IF_ERROR(CheckMayAsk(console, "delete", "takes a sweep and its results away", yes));
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  if (!yes && !Confirm(console, StrCat("Delete ", TitleOf(sweep),
                                       " and all its results: ", CountsText(sweep.counts())))) {
    console.err << "Nothing was deleted.\n";
    return kUsage;
  }
  if (force) {
    RETURN_IF_ERROR(
        CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::CancelSweep).status());
  }
  const absl::Time deadline = absl::Now() + kLongestWait;
  for (bool told = false;; absl::SleepFor(kAskAgain)) {
    const auto response = CallOn(*client, sweep.sweep_id(), &v1::SweepService::Stub::DeleteSweep);
    if (response.ok()) {
      PrintCounts(session, sweep.sweep_id(), {{"RUNS", response->runs()}}, *response);
      return kDone;
    }
    if (!absl::IsFailedPrecondition(response.status())) return response.status();
    if (!force) {
      return absl::FailedPreconditionError(StrCat(response.status().message(),
                                                  "; `sweepctl delete ", sweep.sweep_id(),
                                                  " --force` does both"));
    }
    if (absl::Now() > deadline) return response.status();
    if (!told) console.err << "Waiting for workers to give up their runs.\n";
    told = true;
  }
}

struct Options {
  std::string sweep;
  std::vector<std::string> filters;
  std::vector<int64_t> runs;
  bool yes = false;
  bool force = false;
};

CLI::App* AddSweepVerb(CLI::App& app, Session& session, const std::string& name,
                       const std::string& description, const std::string& example,
                       const std::shared_ptr<Options>& options,
                       const std::function<absl::StatusOr<int>(Session&, const Options&)>& run) {
  CLI::App* verb = AddVerb(app, name, description, example);
  verb->add_option("SWEEP", options->sweep, "Id or name")->required();
  session.OnRun(verb, [&session, options, run] { return run(session, *options); });
  return verb;
}

}  // namespace

void AddLifecycle(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  AddSweepVerb(app, session, "pause", "Let no more of a sweep's runs start; running ones go on",
               "sweepctl pause 3", options,
               [](Session& s, const Options& o) { return Pause(s, o.sweep); });
  AddSweepVerb(app, session, "resume", "Let a paused sweep's runs start again", "sweepctl resume 3",
               options, [](Session& s, const Options& o) { return Resume(s, o.sweep); });
  AddSweepVerb(app, session, "stop",
               "Cancel a sweep's waiting runs and let the running ones finish", "sweepctl stop 3",
               options, [](Session& s, const Options& o) { return Stop(s, o.sweep); });
  CLI::App* cancel =
      AddSweepVerb(app, session, "cancel", "End a sweep's runs, waiting and running ones",
                   "sweepctl cancel 3 --yes", options,
                   [](Session& s, const Options& o) { return Cancel(s, o.sweep, o.yes); });
  cancel->add_flag("-y,--yes", options->yes, "Do not ask");
  CLI::App* retry = AddSweepVerb(
      app, session, "retry",
      "Run again what failed: failures count from 0, an old result moves to its attempt",
      "sweepctl retry 3 --filter failed,diverged", options,
      [](Session& s, const Options& o) { return Retry(s, o.sweep, o.filters, o.runs); });
  retry
      ->add_option("--filter", options->filters,
                   "Which: failed (default), diverged, cancelled; several joined by commas")
      ->type_name("STATE")
      ->expected(1)
      ->take_all()
      ->delimiter(',');
  retry->add_option("--run", options->runs, "Of these runs alone, by id")
      ->type_name("RUN")
      ->expected(1)
      ->take_all()
      ->delimiter(',')
      ->check(WholeNumberFrom(1));
  CLI::App* erase =
      AddSweepVerb(app, session, "delete",
                   "Delete a sweep with its results, and the files that no other run names",
                   "sweepctl delete 3 --force --yes", options,
                   [](Session& s, const Options& o) { return Delete(s, o.sweep, o.yes, o.force); });
  erase->add_flag("-y,--yes", options->yes, "Do not ask");
  erase->add_flag("--force", options->force,
                  "Cancel it first, and wait until its runs have stopped");
}

}  // namespace gridsweep::sweepctl

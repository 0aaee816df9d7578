#include <absl/strings/ascii.h>

#include <limits>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/number_check.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/run_state.h"
#include "sweepctl/run_text.h"
#include "sweepctl/verbs.h"
#include "sweepctl/worker_text.h"

namespace gridsweep::sweepctl {
namespace {

constexpr uint64_t kUnits = 20;  // listed without --limit

struct Options {
  std::vector<std::string> sweeps;
  std::vector<std::string> states;
  std::string filter, metric = "grid_score_60";
  uint64_t limit = 0;  // 0 = all
  bool all = false;
  bool ascending = false;
};

// Fetches pages until there are no more or `limit` items are there.
// `fetch(page_size, token)` adds items, sets the token, returns how many it added.
template <typename Fetch>
absl::Status Pages(uint64_t limit, uint32_t largest, Fetch fetch) {
  uint64_t left = limit == 0 ? std::numeric_limits<uint64_t>::max() : limit;
  std::string token;
  do {
    const auto size = static_cast<uint32_t>(std::min<uint64_t>(left, largest));
    ASSIGN_OR_RETURN(const uint64_t added, fetch(size, token));
    left -= std::min(left, added);
  } while (!token.empty() && left > 0);
  return absl::OkStatus();
}

absl::StatusOr<int> GetSweeps(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  Listing listing;
  listing.columns = {{"SWEEP", true},
                     {"NAME"},
                     {"METHOD"},
                     {"STATUS"},
                     {"RUNS", true},
                     {"DONE", true},
                     {"RUNNING", true},
                     {"PENDING", true},
                     {"FAILED", true},
                     {"CREATED"},
                     {"DIVERGED", true, true},
                     {"CANCELLED", true, true},
                     {"FIRST RUN", true, true}};
  listing.when_empty = "There are no sweeps. `sweepctl submit FILE` makes one.";
  RETURN_IF_ERROR(Pages(
      options.limit, 1000, [&](uint32_t size, std::string& token) -> absl::StatusOr<uint64_t> {
        v1::ListSweepsRequest request;
        request.set_page_size(size);
        request.set_page_token(token);
        ASSIGN_OR_RETURN(
            const auto page,
            client->Call(client->sweeps(), &v1::SweepService::Stub::ListSweeps, request));
        for (const auto& sweep : page.sweeps()) {
          const auto& c = sweep.counts();
          listing.rows.push_back(
              {Number(sweep.sweep_id()), Text(sweep.name()), Text(sweep.method()),
               Text(StatusText(sweep)), Integer(c.total()), Integer(c.succeeded() + c.diverged()),
               Integer(c.leased()), Integer(c.pending() + c.backoff() + c.paused()),
               Integer(c.failed()), Time(sweep.created_at()), Integer(c.diverged()),
               Integer(c.cancelled()), Number(sweep.first_run_id())});
          listing.items.push_back(ToJson(sweep));
          listing.names.push_back(std::to_string(sweep.sweep_id()));
        }
        token = page.next_page_token();
        return page.sweeps_size();
      }));
  session.Print(listing);
  return kDone;
}

absl::StatusOr<int> GetRuns(Session& session, const Options& options) {
  v1::ListRunsRequest request;
  for (const auto& text : options.states) {
    const auto state = ParseState(text);
    if (!state) {
      return UsageError(StrCat("--state: \"", text, "\" is not one of ", StateNames()));
    }
    request.add_states(*state);
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(std::vector<int64_t> ids, client->SweepIds(options.sweeps));
  if (options.sweeps.empty()) {
    // Runs are listed by sweep: without one, of all, newest first.
    RETURN_IF_ERROR(
        Pages(0, 1000, [&](uint32_t size, std::string& token) -> absl::StatusOr<uint64_t> {
          v1::ListSweepsRequest list;
          list.set_page_size(size);
          list.set_page_token(token);
          ASSIGN_OR_RETURN(
              const auto page,
              client->Call(client->sweeps(), &v1::SweepService::Stub::ListSweeps, list));
          for (const auto& sweep : page.sweeps()) ids.push_back(sweep.sweep_id());
          token = page.next_page_token();
          return page.sweeps_size();
        }));
  }
  Listing listing = RunListing();
  listing.when_empty = "No runs match.";
  for (const int64_t id : ids) {
    request.set_sweep_id(id);
    const uint64_t have = listing.rows.size();
    if (options.limit > 0 && have >= options.limit) break;
    RETURN_IF_ERROR(
        Pages(options.limit == 0 ? 0 : options.limit - have, 1000,
              [&](uint32_t size, std::string& token) -> absl::StatusOr<uint64_t> {
                request.set_page_size(size);
                request.set_page_token(token);
                ASSIGN_OR_RETURN(
                    const auto page,
                    client->Call(client->sweeps(), &v1::SweepService::Stub::ListRuns, request));
                for (const auto& run : page.runs()) AddRun(listing, run);
                token = page.next_page_token();
                return page.runs_size();
              }));
  }
  session.Print(listing);
  return kDone;
}

absl::StatusOr<int> GetWorkers(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  Listing listing = WorkerListing();
  listing.when_empty = "No workers. `sweepctl local up` starts one on this machine.";
  RETURN_IF_ERROR(Pages(
      options.limit, 1000, [&](uint32_t size, std::string& token) -> absl::StatusOr<uint64_t> {
        v1::ListWorkersRequest request;
        request.set_all(options.all);
        request.set_page_size(size);
        request.set_page_token(token);
        ASSIGN_OR_RETURN(
            const auto page,
            client->Call(client->admin(), &v1::AdminService::Stub::ListWorkers, request));
        for (const auto& worker : page.workers()) AddWorker(listing, worker);
        token = page.next_page_token();
        return static_cast<uint64_t>(page.workers_size());
      }));
  session.Print(listing);
  return kDone;
}

absl::StatusOr<int> GetUnits(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  v1::ListUnitsRequest request;
  ASSIGN_OR_RETURN(const auto ids, client->SweepIds(options.sweeps));
  for (const int64_t id : ids) request.mutable_where()->add_sweep_ids(id);
  request.mutable_where()->set_filter(options.filter);
  request.set_metric(options.metric);
  request.set_ascending(options.ascending);
  Listing listing;
  listing.columns = {{"RUN", true},
                     {"UNIT", true},
                     {absl::AsciiStrToUpper(options.metric), true},
                     {"READOUT"},
                     {"SWEEP", true}};
  for (const auto& name : UnitMetricNames()) {
    if (name != options.metric)
      listing.columns.push_back({absl::AsciiStrToUpper(name), true, true});
  }
  listing.when_empty = "No units match.";
  const uint64_t limit = options.limit == 0 ? kUnits : options.limit;
  bool cut = false;
  RETURN_IF_ERROR(
      Pages(limit, 10000,
            [&](uint32_t size, std::string& token) -> absl::StatusOr<uint64_t> {
              request.set_page_size(size);
              request.set_page_token(token);
              ASSIGN_OR_RETURN(
                  const auto page,
                  client->Call(client->analysis(), &v1::AnalysisService::Stub::ListUnits, request));
              for (const auto& unit : page.units()) {
                std::vector<Cell> row = {Number(unit.ref().run_id()), Number(unit.ref().unit()),
                                         unit.has_value() ? Real(unit.value()) : Missing(),
                                         Text(unit.readout()), Number(unit.sweep_id())};
                for (const auto& name : UnitMetricNames()) {
                  if (name == options.metric) continue;
                  const auto found = unit.metrics().find(name);
                  row.push_back(found == unit.metrics().end() ? Missing() : Real(found->second));
                }
                listing.rows.push_back(std::move(row));
                listing.items.push_back(ToJson(unit));
                listing.names.push_back(StrCat(unit.ref().run_id(), ":", unit.ref().unit()));
              }
              token = page.next_page_token();
              cut = !token.empty();
              return page.units_size();
            }));
  session.Print(listing);
  if (cut) {
    session.console().err << "note: these are the first " << WithCommas(static_cast<int64_t>(limit))
                          << " units; --limit N shows more\n";
  }
  return kDone;
}

using Get = absl::StatusOr<int> (*)(Session&, const Options&);

CLI::App* AddNoun(CLI::App& get, Session& session, std::shared_ptr<Options> options,
                  const std::string& name, const std::vector<std::string>& aliases,
                  const std::string& description, const std::string& example, Get run) {
  CLI::App* noun = AddVerb(get, name, description, example);
  for (const auto& alias : aliases) noun->alias(alias);
  noun->add_option("--limit", options->limit, "At most so many")
      ->type_name("N")
      ->check(WholeNumberFrom(1));
  session.OnRun(noun, [&session, options, run] { return run(session, *options); });
  return noun;
}

void AddSweepOption(CLI::App* noun, Options& options) {
  noun->add_option("--sweep", options.sweeps, "Of these sweeps, by id or name")
      ->type_name("SWEEP")
      ->expected(1)
      ->take_all();
}

}  // namespace

void AddGet(CLI::App& app, Session& session) {
  CLI::App* get = AddVerb(app, "get", "List sweeps, runs, workers or units", "sweepctl get runs");
  get->alias("list");
  get->require_subcommand(1);
  auto options = std::make_shared<Options>();
  AddNoun(*get, session, options, "sweeps", {"sweep", "sw"}, "Sweeps, newest first",
          "sweepctl get sweeps --limit 10", GetSweeps);
  CLI::App* runs = AddNoun(*get, session, options, "runs", {"run"}, "Runs, in their order",
                           "sweepctl get runs --sweep 3 --state failed -o wide", GetRuns);
  AddSweepOption(runs, *options);
  runs->add_option("--state", options->states, "In these states, for example running,failed")
      ->type_name("STATE")
      ->expected(1)
      ->take_all()
      ->delimiter(',');
  CLI::App* workers = AddNoun(*get, session, options, "workers", {"worker", "wk"}, "Workers",
                              "sweepctl get workers --all", GetWorkers);
  workers->add_flag("-a,--all", options->all, "Also those not seen for long");
  CLI::App* units = AddNoun(
      *get, session, options, "units", {"unit"},
      "Units, best first, those without a value last; 20 unless --limit says otherwise",
      "sweepctl get units --sweep 3 --filter 'decoding_error_cm < 10' --limit 50", GetUnits);
  AddSweepOption(units, *options);
  units
      ->add_option("--filter", options->filter,
                   "Conditions joined by AND on runs; see `sweepctl help filter`")
      ->type_name("FILTER");
  units->add_option("--metric", options->metric, "Metric that orders them")
      ->type_name("NAME")
      ->capture_default_str();
  units->add_flag("--ascending", options->ascending, "Smallest first");
}

}  // namespace gridsweep::sweepctl

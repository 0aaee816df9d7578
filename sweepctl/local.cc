#include "sweepctl/local_instance.h"

#include <unistd.h>

#include <fstream>
#include <ostream>

#include "common/rpc.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/health_check.h"
#include "sweepctl/number_check.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data;
  int slots = 0;
  double timeout = 90;
};

fs::path DataDirectory(const Options& options) {
  if (options.data.empty()) return ChooseDataDirectory();
  return fs::absolute(options.data).lexically_normal();
}

double SecondsUp(const ProcessId& process) {
  double uptime = 0;
  std::ifstream("/proc/uptime") >> uptime;
  return uptime - static_cast<double>(process.start_ticks) / sysconf(_SC_CLK_TCK);
}

absl::StatusOr<int> Up(Session& session, const Options& options) {
  UpOptions up;
  up.data = DataDirectory(options);
  up.slots = options.slots;
  up.deadline = absl::Seconds(options.timeout);
  const auto state = BringUp(session.console(), up);
  if (!state.ok()) {
    // What cannot start has failed; only the interrupt has a code of its own.
    if (absl::IsCancelled(state.status())) return state.status();
    PrintError(session.console(), state.status());
    return kFailed;
  }
  Listing listing;
  listing.columns = {{"SETTING"}, {"VALUE"}};
  const std::pair<const char*, std::string> values[] = {
      {"address", state->address},
      {"analysis-address", state->analysis_address},
      {"slots", std::to_string(state->slots)},
      {"data", state->data}};
  listing.document = nlohmann::ordered_json::object();
  for (const auto& [name, value] : values) {
    listing.rows.push_back({Text(name), Text(value)});
    (*listing.document)[name] = value;
  }
  listing.items = {*listing.document};
  listing.names = {state->data};
  session.Print(listing);
  session.console().out.flush();
  session.console().err << "\nUp. sweepctl talks to it by itself. Next:\n"
                           "  sweepctl submit FILE --wait\n"
                           "  sweepctl query fraction --by readout\n"
                           "  sweepctl local down\n";
  return kDone;
}

absl::StatusOr<int> Down(Session& session, const Options& options) {
  const fs::path data = DataDirectory(options);
  const absl::Status status = BringDown(session.console(), data);
  if (absl::IsNotFound(status)) {
    session.console().err << std::string(status.message()) << "\n";
    return kDone;
  }
  RETURN_IF_ERROR(status);
  session.console().err << "Down. The sweeps stay in " << data.string() << ".\n";
  return kDone;
}

absl::StatusOr<int> Status(Session& session, const Options& options) {
  const fs::path data = DataDirectory(options);
  ASSIGN_OR_RETURN(const auto state, ReadLocalState(data));
  if (!state || !state->IsOfThisBoot()) {
    return absl::NotFoundError(StrCat("nothing is up in ", data.string(),
                                      state ? ": the machine was restarted" : "",
                                      "; `sweepctl local up` starts it"));
  }
  Listing listing;
  listing.columns = {{"PIECE"}, {"STATE"}, {"PID", true}, {"UP FOR"}, {"LOG"}};
  bool ill = false;
  for (const auto& piece : state->pieces) {
    const bool alive = IsAlive(piece.process);
    std::string text = alive ? "up" : "died";
    if (alive && (piece.name == "coordinator" || piece.name == "analysis")) {
      const auto channel =
          Dial(piece.name == "coordinator" ? state->address : state->analysis_address);
      if (!CheckHealth(channel, absl::Seconds(3)).ok()) text = "not serving";
    }
    ill |= text != "up";
    const double seconds = SecondsUp(piece.process);
    const Cell up_for = alive ? Cell{Span(std::max(0.0, std::floor(seconds))),
                                     std::to_string(static_cast<int64_t>(seconds))}
                              : Missing();
    listing.rows.push_back(
        {Text(piece.name), Text(text), Number(piece.process.pid), up_for, Text(piece.log)});
    listing.items.push_back(
        {{"piece", piece.name}, {"state", text}, {"pid", piece.process.pid}, {"log", piece.log}});
    listing.names.push_back(piece.name);
  }
  session.Print(listing);
  session.console().out.flush();
  const std::string crash = CrashReport(*state);
  if (!crash.empty()) {
    session.console().err << "sweepctl: " << crash << "\n";
  } else if (!state->complete) {
    session.console().err << "`sweepctl local up` was not finished: run it again.\n";
  } else {
    session.console().err << "\naddress           " << state->address << "\nanalysis-address  "
                          << state->analysis_address << "\ndata              " << state->data
                          << "\n";
  }
  return ill || !state->complete ? kFailed : kDone;
}

}  // namespace

void AddLocal(CLI::App& app, Session& session) {
  CLI::App* local = AddVerb(app, "local", "Run everything on this machine: up, down, status",
                            "sweepctl local up");
  local->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* description, const char* example,
                       absl::StatusOr<int> (*run)(Session&, const Options&)) {
    CLI::App* verb = AddVerb(*local, name, description, example);
    verb->add_option("--data", options->data,
                     "Where database, files and logs are; GRIDSWEEP_DATA, the one last used, or "
                     "~/.local/share/gridsweep by default")
        ->type_name("DIR");
    session.OnRun(verb, [&session, options, run] { return run(session, *options); });
    return verb;
  };
  CLI::App* up = add("up", "Start PostgreSQL, coordinator, analysis and a worker",
                     "sweepctl local up --slots 4", Up);
  up->add_option("--slots", options->slots, "Runs trained side by side; one a core by default")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  up->add_option("--timeout", options->timeout, "Seconds until all must be healthy")
      ->type_name("S")
      ->check(PositiveReal())
      ->capture_default_str();
  add("down", "Stop them; sweeps stay", "sweepctl local down", Down);
  add("status", "Say what is up, and what has died", "sweepctl local status", Status);
}

}  // namespace gridsweep::sweepctl

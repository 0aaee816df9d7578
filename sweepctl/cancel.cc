#include <istream>
#include <ostream>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

absl::StatusOr<int> Cancel(Session& session, const std::string& name, bool yes) {
  Console& console = session.console();
  if (!yes && !console.in_terminal) {
    return UsageError("cancel ends runs for good: without a terminal to ask on it needs --yes");
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(name));
  if (!yes) {
    console.err << "Cancel sweep " << sweep.sweep_id()
                << (sweep.name().empty() ? "" : " (" + sweep.name() + ")") << ": "
                << CountsText(sweep.counts()) << "? [y/N] " << std::flush;
    std::string answer;
    std::getline(console.in, answer);
    if (answer != "y" && answer != "Y" && answer != "yes") {
      console.err << "Nothing was cancelled.\n";
      return kUsage;
    }
  }
  v1::CancelSweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->sweeps(), &v1::SweepService::Stub::CancelSweep, request));
  Listing listing;
  listing.columns = {{"SWEEP", true}, {"CANCELLED", true}, {"CANCELLING", true}};
  listing.rows = {
      {Number(sweep.sweep_id()), Integer(response.cancelled()), Integer(response.cancelling())}};
  listing.document = ToJson(response);
  listing.items = {*listing.document};
  listing.names = {std::to_string(sweep.sweep_id())};
  session.Print(listing);
  if (response.cancelling() > 0) {
    console.err << response.cancelling() << " running stop at their worker's next heartbeat.\n";
  }
  return kDone;
}

}  // namespace

void AddCancel(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "cancel", "End a sweep's runs, waiting and running ones",
                           "sweepctl cancel 3 --yes");
  auto sweep = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  verb->add_option("SWEEP", *sweep, "Id or name")->required();
  verb->add_flag("-y,--yes", *yes, "Do not ask");
  session.OnRun(verb, [&session, sweep, yes] { return Cancel(session, *sweep, *yes); });
}

}  // namespace gridsweep::sweepctl

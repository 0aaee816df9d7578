#include "science/config/run_config.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {

void AddVersion(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "version", "Print the version", "sweepctl version -o json");
  session.OnRun(verb, [&session]() -> absl::StatusOr<int> {
    Listing listing;
    listing.columns = {{"VERSION"}, {"SCIENCE VERSION", true}};
    listing.rows = {{Text(GRIDSWEEP_VERSION), Integer(science::kScienceVersion)}};
    listing.document = {{"version", GRIDSWEEP_VERSION},
                        {"science_version", science::kScienceVersion}};
    listing.items = {*listing.document};
    listing.names = {GRIDSWEEP_VERSION};
    session.Print(listing);
    return kDone;
  });
}

}  // namespace gridsweep::sweepctl

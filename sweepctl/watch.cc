#include "sweepctl/exit_code.h"
#include "sweepctl/follow.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  std::string sweep;
  std::string timeout;
};

absl::StatusOr<int> Follow(Session& session, const Options& options, bool quiet) {
  FollowOptions follow;
  follow.quiet = quiet;
  if (!options.timeout.empty() && (!absl::ParseDuration(options.timeout, &follow.timeout) ||
                                   follow.timeout <= absl::ZeroDuration())) {
    return UsageError("--timeout: \"" + options.timeout +
                      "\" is not a time such as 90s, 10m or 2h30m");
  }
  ASSIGN_OR_RETURN(Client * client, session.Connect(Need::kProgress));
  ASSIGN_OR_RETURN(const v1::Sweep sweep, client->FindSweep(options.sweep));
  return FollowSweep(session, *client, sweep, follow);
}

}  // namespace

void AddWatch(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* watch =
      AddVerb(app, "watch", "Follow a sweep's progress until it has ended", "sweepctl watch 3");
  watch->add_option("SWEEP", options->sweep, "Id or name")->required();
  session.OnRun(watch, [&session, options] { return Follow(session, *options, false); });
  CLI::App* wait =
      AddVerb(app, "wait", "Wait until a sweep has ended: exits 0, 6 if runs failed, 7 on timeout",
              "sweepctl wait 3 --timeout 2h && sweepctl query fraction --sweep 3");
  wait->add_option("SWEEP", options->sweep, "Id or name")->required();
  wait->add_option("--timeout", options->timeout, "Give up after, for example, 90s, 10m or 2h30m")
      ->type_name("TIME");
  session.OnRun(wait, [&session, options] { return Follow(session, *options, true); });
}

}  // namespace gridsweep::sweepctl

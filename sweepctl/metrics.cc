#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

absl::StatusOr<int> Metrics(Session& session) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->analysis(), &v1::AnalysisService::Stub::ListMetrics,
                                v1::ListMetricsRequest()));
  Listing listing;
  listing.columns = {{"METRIC"}, {"LEVEL"}, {"UNIT"}, {"BINNED", false, true}, {"DEFINITION"}};
  for (const auto& metric : response.metrics()) {
    listing.rows.push_back({Text(metric.name()), Text(metric.level()), Text(metric.unit()),
                            Text(metric.binned() ? "yes" : "no"), Text(metric.definition())});
    listing.items.push_back(ToJson(metric));
    listing.names.push_back(metric.name());
  }
  session.Print(listing);
  return kDone;
}

}  // namespace

void AddMetrics(CLI::App& app, Session& session) {
  CLI::App* verb =
      AddVerb(app, "metrics", "List the metrics and their definitions", "sweepctl metrics");
  session.OnRun(verb, [&session] { return Metrics(session); });
}

}  // namespace gridsweep::sweepctl

#include "sweepctl/worker_text.h"

namespace gridsweep::sweepctl {
namespace {

// "run", "cordoned", "drained", "quarantined".
std::string DirectiveText(const v1::Worker& worker) {
  switch (worker.directive()) {
    case v1::WORKER_DIRECTIVE_RUN:
      return "run";
    case v1::WORKER_DIRECTIVE_DRAIN:
      return worker.releasing() ? "drained" : "cordoned";
    case v1::WORKER_DIRECTIVE_QUARANTINED:
      return "quarantined";
    default:
      return "";
  }
}

}  // namespace

Listing WorkerListing() {
  Listing listing;
  listing.columns = {{"WORKER", true},
                     {"NAME"},
                     {"LIVE"},
                     {"SLOTS", true},
                     {"BUSY", true},
                     {"DIRECTIVE"},
                     {"CLASS"},
                     {"SEEN"},
                     {"WHY"},
                     {"HOST", false, true},
                     {"VERSION", false, true},
                     {"NUMERICS", false, true},
                     {"REGISTERED", false, true}};
  return listing;
}

void AddWorker(Listing& listing, const v1::Worker& worker) {
  listing.rows.push_back(
      {Number(worker.worker_id()), Text(worker.name()), Text(worker.live() ? "yes" : "no"),
       Integer(worker.slots()), Integer(worker.leased()), Text(DirectiveText(worker)),
       Text(worker.resource_class()), Time(worker.seen_at()), Text(worker.directive_reason()),
       Text(worker.host()), Text(worker.version()), Text(worker.numerics_id()),
       Time(worker.registered_at())});
  listing.items.push_back(ToJson(worker));
  listing.names.push_back(worker.name());
}

}  // namespace gridsweep::sweepctl

#include "sweepctl/shortage.h"

#include <vector>

#include "common/strings.h"

namespace gridsweep::sweepctl {

std::string Shortage(const v1::SweepSettings& settings, const v1::ListWorkersResponse& workers) {
  const std::string& wanted = settings.resources().resource_class();
  const bool any = wanted.empty() || wanted == "any";
  size_t live = 0;
  std::vector<const v1::Worker*> fitting;
  for (const v1::Worker& worker : workers.workers()) {
    if (!worker.live()) continue;
    ++live;
    if (any || worker.resource_class() == wanted) fitting.push_back(&worker);
  }
  if (live == 0) return "a worker: none is live (`sweepctl local up` starts one on this machine)";
  if (fitting.empty()) {
    return StrCat("a worker of class ", wanted, ": of ", live, " live none is");
  }
  for (const v1::Worker* worker : fitting) {
    if (worker->directive() == v1::WORKER_DIRECTIVE_RUN) return "";
  }
  return StrCat("a worker that takes runs: ",
                fitting.size() == 1 ? StrCat(fitting[0]->name(), " is")
                                    : StrCat("all ", fitting.size(), " that could are"),
                " cordoned, drained or quarantined (`sweepctl get workers` says why, `sweepctl "
                "workers uncordon ",
                fitting[0]->name(), "` ends it)");
}

absl::StatusOr<std::string> AskShortage(Client& client, const v1::SweepSettings& settings) {
  v1::ListWorkersResponse workers;
  v1::ListWorkersRequest request;
  do {
    ASSIGN_OR_RETURN(const auto page, client.Call(client.admin(),
                                                  &v1::AdminService::Stub::ListWorkers, request));
    workers.mutable_workers()->MergeFrom(page.workers());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return Shortage(settings, workers);
}

}  // namespace gridsweep::sweepctl

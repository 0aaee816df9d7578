// workers cordon, uncordon, drain.
#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"
#include "sweepctl/worker_text.h"

namespace gridsweep::sweepctl {
namespace {

// Calls `method` for each name; what became of the workers.
template <typename Request, typename Response>
absl::StatusOr<int> Tell(Session& session, const std::vector<std::string>& names,
                         grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*,
                                                                        const Request&,
                                                                        Response*)) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  Listing listing = WorkerListing();
  for (const std::string& name : names) {
    Request request;
    request.set_name(name);
    ASSIGN_OR_RETURN(const auto response, client->Call(client->admin(), method, request));
    AddWorker(listing, response.worker());
  }
  session.Print(listing);
  return kDone;
}

template <typename Request, typename Response>
void AddWorkerVerb(CLI::App& workers, Session& session, const std::string& name,
                   const std::string& description, const std::string& example,
                   grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*)) {
  CLI::App* verb = AddVerb(workers, name, description, example);
  auto names = std::make_shared<std::vector<std::string>>();
  verb->add_option("NAME", *names, "Workers, by name")->required();
  session.OnRun(verb, [&session, names, method] { return Tell(session, *names, method); });
}

}  // namespace

void AddWorkers(CLI::App& app, Session& session) {
  using Stub = v1::AdminService::Stub;
  CLI::App* workers = AddVerb(app, "workers", "Take workers out of the queue, and put them back",
                              "sweepctl workers drain node7");
  workers->require_subcommand(1);
  AddWorkerVerb<v1::CordonWorkerRequest, v1::CordonWorkerResponse>(
      *workers, session, "cordon", "Takes no more runs; finishes what it holds",
      "sweepctl workers cordon node7", &Stub::CordonWorker);
  AddWorkerVerb<v1::UncordonWorkerRequest, v1::UncordonWorkerResponse>(
      *workers, session, "uncordon", "May take runs again; ends a quarantine",
      "sweepctl workers uncordon node7", &Stub::UncordonWorker);
  AddWorkerVerb<v1::DrainWorkerRequest, v1::DrainWorkerResponse>(
      *workers, session, "drain", "Takes no more runs, and gives back what it holds",
      "sweepctl workers drain node7 node8", &Stub::DrainWorker);
}

}  // namespace gridsweep::sweepctl

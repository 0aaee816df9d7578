#include "coordinator/admin_service.h"

#include "common/log.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/artifact_check.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/workers.h"

namespace gridsweep::coordinator {
namespace {

constexpr uint32_t kMostWorkersAPage = 1000;  // at most 3 kB each

}  // namespace

grpc::ServerUnaryReactor* AdminService::ListWorkers(grpc::CallbackServerContext* context,
                                                    const v1::ListWorkersRequest* request,
                                                    v1::ListWorkersResponse* response) {
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    RETURN_IF_ERROR(CheckText("page_token", request->page_token()));
    if (request->page_size() > kMostWorkersAPage) {
      return InvalidField("page_size", StrCat(request->page_size(), ": 1 to ", kMostWorkersAPage));
    }
    const int page = static_cast<int>(request->page_size() == 0 ? kMostWorkersAPage
                                                                : request->page_size());
    ASSIGN_OR_RETURN(const auto workers,
                     coordinator::ListWorkers(database, request->all(), lease_ttl_,
                                              request->page_token(), page + 1));
    for (const v1::Worker& worker : workers) {
      if (response->workers_size() == page) {
        response->set_next_page_token(response->workers(page - 1).name());
        break;
      }
      *response->add_workers() = worker;
    }
    return absl::OkStatus();
  });
}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* AdminService::Tell(
    grpc::CallbackServerContext* context, const Request* request, Response* response,
    absl::StatusOr<v1::Worker> (*what)(Database&, const std::string&, absl::Duration),
    const char* outcome, const std::function<void()>& then) {
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(
      lane_, context,
      [this, request, response, what, outcome, then](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(*response->mutable_worker(), what(database, request->name(), lease_ttl_));
        spdlog::info("worker {} is {}", request->name(), outcome);
        if (then) then();
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* AdminService::CordonWorker(grpc::CallbackServerContext* context,
                                                     const v1::CordonWorkerRequest* request,
                                                     v1::CordonWorkerResponse* response) {
  return Tell(context, request, response, coordinator::CordonWorker, "cordoned");
}

grpc::ServerUnaryReactor* AdminService::UncordonWorker(grpc::CallbackServerContext* context,
                                                       const v1::UncordonWorkerRequest* request,
                                                       v1::UncordonWorkerResponse* response) {
  return Tell(context, request, response, coordinator::UncordonWorker, "uncordoned",
              [this] { work_appeared_({.anywhere = true}); });
}

grpc::ServerUnaryReactor* AdminService::DrainWorker(grpc::CallbackServerContext* context,
                                                    const v1::DrainWorkerRequest* request,
                                                    v1::DrainWorkerResponse* response) {
  return Tell(context, request, response, coordinator::DrainWorker, "drained");
}

grpc::ServerUnaryReactor* AdminService::CheckArtifacts(grpc::CallbackServerContext* context,
                                                       const v1::CheckArtifactsRequest* request,
                                                       v1::CheckArtifactsResponse* response) {
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response, coordinator::CheckArtifacts(database, artifacts_, artifact_grace_,
                                                            *request));
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

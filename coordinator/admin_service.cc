#include "coordinator/admin_service.h"

#include "common/log.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/workers.h"

namespace gridsweep::coordinator {

grpc::ServerUnaryReactor* AdminService::ListWorkers(grpc::CallbackServerContext* context,
                                                    const v1::ListWorkersRequest* request,
                                                    v1::ListWorkersResponse* response) {
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(const auto workers,
                     coordinator::ListWorkers(database, request->all(), lease_ttl_));
    for (const v1::Worker& worker : workers) *response->add_workers() = worker;
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::CordonWorker(grpc::CallbackServerContext* context,
                                                     const v1::CordonWorkerRequest* request,
                                                     v1::CordonWorkerResponse* response) {
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_worker(),
                     coordinator::CordonWorker(database, request->name(), lease_ttl_));
    spdlog::info("worker {} is cordoned", request->name());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::UncordonWorker(grpc::CallbackServerContext* context,
                                                       const v1::UncordonWorkerRequest* request,
                                                       v1::UncordonWorkerResponse* response) {
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_worker(),
                     coordinator::UncordonWorker(database, request->name(), lease_ttl_));
    spdlog::info("worker {} is uncordoned", request->name());
    work_appeared_();
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::DrainWorker(grpc::CallbackServerContext* context,
                                                    const v1::DrainWorkerRequest* request,
                                                    v1::DrainWorkerResponse* response) {
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_worker(),
                     coordinator::DrainWorker(database, request->name(), lease_ttl_));
    spdlog::info("worker {} is drained", request->name());
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

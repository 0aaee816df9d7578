#include "tests/end_to_end/dispatch_proxy.h"

#include <gtest/gtest.h>

#include <utility>

namespace gridsweep::testing {
namespace {

const grpc::Status kGone(grpc::StatusCode::CANCELLED, "the worker is dead");

std::unique_ptr<RpcServer> Listen(const std::string& address, grpc::Service* service) {
  auto server = RpcServer::Start(address, {service});
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

// The call upstream ends when the worker's does: it has its deadline, and is
// cancelled when the worker goes.
std::unique_ptr<grpc::ClientContext> Upstream(const grpc::ServerContext* context) {
  return grpc::ClientContext::FromServerContext(*context);
}

// Passes on what comes, until the worker has said all or `forwarded` says that it is dead.
template <typename Request, typename Forwarded>
grpc::Status Forward(grpc::ServerContext& context, grpc::ServerReader<Request>& reader,
                     grpc::ClientContext& upstream, grpc::ClientWriter<Request>& writer,
                     Forwarded forwarded) {
  Request part;
  while (reader.Read(&part)) {
    // A coordinator that has hung up says why in its status.
    if (!writer.Write(part)) return writer.Finish();
    if (forwarded(part)) continue;
    upstream.TryCancel();
    writer.Finish();
    return kGone;
  }
  if (context.IsCancelled()) upstream.TryCancel();
  writer.WritesDone();
  return writer.Finish();
}

}  // namespace

DispatchProxy::DispatchProxy(const std::string& coordinator, const std::string& address,
                             DispatchHooks hooks)
    : hooks_(std::move(hooks)),
      coordinator_(v1::DispatchService::NewStub(Dial(coordinator))),
      server_(Listen(address, this)) {}

grpc::Status DispatchProxy::Register(grpc::ServerContext* context,
                                     const v1::RegisterRequest* request,
                                     v1::RegisterResponse* response) {
  return coordinator_->Register(Upstream(context).get(), *request, response);
}

grpc::Status DispatchProxy::LeaseRuns(grpc::ServerContext* context,
                                      const v1::LeaseRunsRequest* request,
                                      v1::LeaseRunsResponse* response) {
  hooks_.asking();
  const grpc::Status status = coordinator_->LeaseRuns(Upstream(context).get(), *request, response);
  return status.ok() && !hooks_.granted(*response) ? kGone : status;
}

grpc::Status DispatchProxy::Heartbeat(grpc::ServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) {
  if (!hooks_.beating(*request)) return kGone;
  return coordinator_->Heartbeat(Upstream(context).get(), *request, response);
}

grpc::Status DispatchProxy::UploadArtifact(grpc::ServerContext* context,
                                           grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                                           v1::UploadArtifactResponse* response) {
  const auto upstream = Upstream(context);
  const auto writer = coordinator_->UploadArtifact(upstream.get(), response);
  int chunks = 0;
  const grpc::Status status =
      Forward(*context, *reader, *upstream, *writer, [&](const v1::UploadArtifactRequest& part) {
        chunks += part.has_chunk();
        return hooks_.uploading(chunks);
      });
  return status.ok() && !hooks_.uploaded() ? kGone : status;
}

grpc::Status DispatchProxy::CompleteRun(grpc::ServerContext* context,
                                        grpc::ServerReader<v1::CompleteRunRequest>* reader,
                                        v1::CompleteRunResponse* response) {
  const auto upstream = Upstream(context);
  const auto writer = coordinator_->CompleteRun(upstream.get(), response);
  v1::LeaseRef ref;
  const grpc::Status status =
      Forward(*context, *reader, *upstream, *writer, [&](const v1::CompleteRunRequest& part) {
        if (part.has_header()) hooks_.completing(ref = part.header().ref());
        return true;
      });
  return status.ok() && !hooks_.completed(ref) ? kGone : status;
}

grpc::Status DispatchProxy::FailRun(grpc::ServerContext* context, const v1::FailRunRequest* request,
                                    v1::FailRunResponse* response) {
  return coordinator_->FailRun(Upstream(context).get(), *request, response);
}

grpc::Status DispatchProxy::ReleaseRuns(grpc::ServerContext* context,
                                        const v1::ReleaseRunsRequest* request,
                                        v1::ReleaseRunsResponse* response) {
  return coordinator_->ReleaseRuns(Upstream(context).get(), *request, response);
}

}  // namespace gridsweep::testing

// A DispatchService between a worker and the coordinator: it forwards every
// call, and lets a test act at exact points of the conversation.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/rpc.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"

namespace gridsweep::testing {

// What a test does at a point. They are called by several threads. Those that
// return bool say whether the worker still lives; once one has said false, the
// call that it belongs to goes no further.
struct DispatchHooks {
  // The worker asks for runs; the coordinator has not heard of it.
  std::function<void()> asking = [] {};
  // The coordinator has answered LeaseRuns; the worker does not know it.
  std::function<bool(const v1::LeaseRunsResponse&)> granted = [](const auto&) { return true; };
  // A heartbeat has come; the coordinator has not heard of it.
  std::function<bool(const v1::HeartbeatRequest&)> beating = [](const auto&) { return true; };
  // So many chunks of an artifact have gone on to the coordinator, 0 after the header.
  std::function<bool(int chunks)> uploading = [](int) { return true; };
  // The coordinator has stored an artifact; the worker does not know it.
  std::function<bool()> uploaded = [] { return true; };
  // The worker has begun to send a result.
  std::function<void(const v1::LeaseRef&)> completing = [](const auto&) {};
  // The coordinator has committed a result; the worker does not know it.
  std::function<bool(const v1::LeaseRef&)> completed = [](const auto&) { return true; };
};

class DispatchProxy final : public v1::DispatchService::Service {
 public:
  // Listens on `address` for what goes to `coordinator`.
  DispatchProxy(const std::string& coordinator, const std::string& address, DispatchHooks hooks);

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override;
  grpc::Status LeaseRuns(grpc::ServerContext* context, const v1::LeaseRunsRequest* request,
                         v1::LeaseRunsResponse* response) override;
  grpc::Status Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override;
  grpc::Status UploadArtifact(grpc::ServerContext* context,
                              grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::UploadArtifactResponse* response) override;
  grpc::Status CompleteRun(grpc::ServerContext* context,
                           grpc::ServerReader<v1::CompleteRunRequest>* reader,
                           v1::CompleteRunResponse* response) override;
  grpc::Status FailRun(grpc::ServerContext* context, const v1::FailRunRequest* request,
                       v1::FailRunResponse* response) override;
  grpc::Status ReleaseRuns(grpc::ServerContext* context, const v1::ReleaseRunsRequest* request,
                           v1::ReleaseRunsResponse* response) override;

 private:
  const DispatchHooks hooks_;
  const std::unique_ptr<v1::DispatchService::Stub> coordinator_;
  const std::unique_ptr<RpcServer> server_;  // last: its calls use the rest
};

}  // namespace gridsweep::testing

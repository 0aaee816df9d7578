// AdminService: the fleet, the tokens and the artifact directory, for their operator.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <string>

#include "common/artifact_store.h"
#include "common/token_gate.h"
#include "coordinator/lane.h"
#include "coordinator/store/claims.h"
#include "gridsweep/v1/admin.grpc.pb.h"

namespace gridsweep::coordinator {

class AdminService final : public v1::AdminService::CallbackService {
 public:
  // `work_appeared` is called when a worker may take runs again. `gate` may be null.
  // `artifact_grace`: as the collector's.
  AdminService(Lane& lane, absl::Duration lease_ttl, WorkAppeared work_appeared,
               const TokenGate* gate, ArtifactStore& artifacts, absl::Duration artifact_grace)
      : lane_(lane),
        lease_ttl_(lease_ttl),
        work_appeared_(std::move(work_appeared)),
        gate_(gate),
        artifacts_(artifacts),
        artifact_grace_(artifact_grace) {}

  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext*, const v1::ListWorkersRequest*,
                                        v1::ListWorkersResponse*) override;
  grpc::ServerUnaryReactor* CordonWorker(grpc::CallbackServerContext*,
                                         const v1::CordonWorkerRequest*,
                                         v1::CordonWorkerResponse*) override;
  grpc::ServerUnaryReactor* UncordonWorker(grpc::CallbackServerContext*,
                                           const v1::UncordonWorkerRequest*,
                                           v1::UncordonWorkerResponse*) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext*, const v1::DrainWorkerRequest*,
                                        v1::DrainWorkerResponse*) override;
  grpc::ServerUnaryReactor* CheckArtifacts(grpc::CallbackServerContext*,
                                           const v1::CheckArtifactsRequest*,
                                           v1::CheckArtifactsResponse*) override;
  // In token_admin.cc.
  grpc::ServerUnaryReactor* CreateToken(grpc::CallbackServerContext*, const v1::CreateTokenRequest*,
                                        v1::CreateTokenResponse*) override;
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext*, const v1::ListTokensRequest*,
                                       v1::ListTokensResponse*) override;
  grpc::ServerUnaryReactor* RevokeToken(grpc::CallbackServerContext*, const v1::RevokeTokenRequest*,
                                        v1::RevokeTokenResponse*) override;

 private:
  // Does `what` to the worker that the request names, then `then`.
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Tell(grpc::CallbackServerContext* context, const Request* request,
                                 Response* response,
                                 absl::StatusOr<v1::Worker> (*what)(Database&, const std::string&,
                                                                    absl::Duration),
                                 const char* outcome, const std::function<void()>& then = nullptr);

  Lane& lane_;
  const absl::Duration lease_ttl_;
  const WorkAppeared work_appeared_;
  const TokenGate* const gate_;
  ArtifactStore& artifacts_;
  const absl::Duration artifact_grace_;
};

}  // namespace gridsweep::coordinator

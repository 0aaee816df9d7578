#include "common/rpc.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <chrono>

#include "common/audit.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;

// Retries are for UNAVAILABLE alone: every write carries a request id or a
// lease token, so a repeat is harmless.
constexpr char kServiceConfig[] = R"({"methodConfig": [{"name": [{}], "retryPolicy": {
  "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
  "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const std::string& address, const std::vector<grpc::Service*>& services,
    const ServerSecurity& security, std::shared_ptr<TokenGate> gate) {
  RETURN_IF_ERROR(CheckSecurity(address, security));
  if (TokensRequired(address, security) && gate == nullptr) {
    return absl::InternalError(StrCat("a server on ", address, " was given no tokens to ask for"));
  }
  static const bool plugins = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  (void)plugins;
  int port = -1;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, ServerCredentialsFor(address, security, gate), &port);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(AuditLog(gate.get()));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 30 * 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  auto result = std::unique_ptr<RpcServer>(new RpcServer);
  result->gate_ = std::move(gate);
  result->server_ = builder.BuildAndStart();
  if (result->server_ == nullptr || (!IsUnix(address) && port <= 0)) {
    return absl::UnavailableError(StrCat("cannot listen on ", address, ": is it in use?"));
  }
  result->address_ =
      IsUnix(address) ? address : StrCat(address.substr(0, address.rfind(':')), ":", port);
  result->server_->GetHealthCheckService()->SetServingStatus(true);
  return result;
}

RpcServer::~RpcServer() {
  if (server_ != nullptr) Shutdown(absl::Seconds(1));
}

void RpcServer::SetNotServing() { server_->GetHealthCheckService()->SetServingStatus(false); }

void RpcServer::Shutdown(absl::Duration grace) {
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
  server_->Wait();
  server_.reset();
}

std::shared_ptr<grpc::Channel> Dial(const std::string& address, const ClientSecurity& security) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  args.SetLoadBalancingPolicyName("round_robin");
  args.SetServiceConfigJSON(kServiceConfig);
  return grpc::CreateCustomChannel(address, ChannelCredentialsFor(address, security), args);
}

}  // namespace gridsweep

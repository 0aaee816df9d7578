#include "common/rpc.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>
#include <grpcpp/impl/server_initializer.h>
#include <grpcpp/resource_quota.h>

#include <chrono>

#include "common/audit.h"
#include "common/rpc_metrics.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;

// Retries are for UNAVAILABLE alone: every write carries a request id or a
// lease token, so a repeat is harmless. Not of streams from the client: where a
// connection breaks between two of its parts, gRPC 1.51 may repeat the first
// ones alone and say that the stream is whole. Who sends one repeats all of it.
constexpr char kServiceConfig[] = R"({"methodConfig": [{"name": [
  {"service": "gridsweep.v1.DispatchService", "method": "UploadArtifact"},
  {"service": "gridsweep.v1.DispatchService", "method": "CompleteRun"},
  {"service": "gridsweep.v1.DispatchService", "method": "SaveCheckpoint"}]},
  {"name": [{}], "retryPolicy": {
  "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
  "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

// Takes down the names of a server's services, which only gRPC knows.
class ServiceNames final : public grpc::ServerBuilderPlugin {
 public:
  explicit ServiceNames(std::vector<std::string>& names) : names_(names) {}
  std::string name() override { return "gridsweep_service_names"; }
  void InitServer(grpc::ServerInitializer*) override {}
  void Finish(grpc::ServerInitializer* server) override { names_ = *server->GetServiceList(); }
  void ChangeArguments(const std::string&, void*) override {}

 private:
  std::vector<std::string>& names_;
};

class WithServiceNames final : public grpc::ServerBuilderOption {
 public:
  explicit WithServiceNames(std::vector<std::string>& names) : names_(names) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->push_back(std::make_unique<ServiceNames>(names_));
  }

 private:
  std::vector<std::string>& names_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const std::string& address, const std::vector<grpc::Service*>& services,
    const ServerSecurity& security, std::shared_ptr<TokenGate> gate, RpcMetrics* metrics) {
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
  if (metrics != nullptr) interceptors.push_back(metrics->ServerInterceptors());
  interceptors.push_back(AuditLog(gate.get()));
  if (gate != nullptr) interceptors.push_back(gate->Interceptors());
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  for (grpc::Service* service : services) builder.RegisterService(service);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // gRPC inflates a message whole before it compares it with that limit, on health for anybody: 1
  // MB takes 1.1 GB. With these off it ends the call at its headers, UNIMPLEMENTED.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota("connections");
  quota.Resize(static_cast<size_t>(security.connection_memory_mib) << 20);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  const auto set_time = [&builder](const char* name, absl::Duration time) {
    builder.AddChannelArgument(name, static_cast<int>(absl::ToInt64Milliseconds(time)));
  };
  set_time(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, security.times.handshake);
  set_time(GRPC_ARG_MAX_CONNECTION_IDLE_MS, security.times.idle);
  set_time(GRPC_ARG_KEEPALIVE_TIME_MS, security.times.ping_after);
  set_time(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, security.times.ping_answer);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // any number of pings
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 30 * 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  auto result = std::unique_ptr<RpcServer>(new RpcServer);
  result->gate_ = std::move(gate);
  builder.SetOption(std::make_unique<WithServiceNames>(result->services_));
  result->server_ = builder.BuildAndStart();
  if (result->server_ == nullptr || (!IsUnix(address) && port <= 0)) {
    return absl::UnavailableError(StrCat("cannot listen on ", address, ": is it in use?"));
  }
  result->address_ =
      IsUnix(address) ? address : StrCat(address.substr(0, address.rfind(':')), ":", port);
  result->server_->GetHealthCheckService()->SetServingStatus(kLiveness, true);
  result->SetReady(true);
  return result;
}

RpcServer::~RpcServer() {
  if (server_ != nullptr) Shutdown(absl::Seconds(1));
}

void RpcServer::SetReady(bool ready) {
  MutexLock lock(mutex_);
  if (server_ == nullptr) return;
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus("", ready && !leaving_);
  for (const std::string& service : services_) {
    health->SetServingStatus(service, ready && !leaving_);
  }
}

void RpcServer::SetNotServing() {
  {
    MutexLock lock(mutex_);
    leaving_ = true;
  }
  SetReady(false);
}

void RpcServer::Shutdown(absl::Duration grace) {
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
  server_->Wait();
  MutexLock lock(mutex_);
  server_.reset();
}

std::shared_ptr<grpc::Channel> Dial(const std::string& address, const ClientSecurity& security,
                                    RpcMetrics* metrics) {
  grpc::ChannelArguments args;
  // A channel has connections of its own: what one sends holds up no other.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  args.SetLoadBalancingPolicyName("round_robin");
  args.SetServiceConfigJSON(kServiceConfig);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> creators;
  if (metrics != nullptr) creators.push_back(metrics->ClientInterceptors(address));
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      address, ChannelCredentialsFor(address, security), args, std::move(creators));
}

}  // namespace gridsweep

#include "common/rpc_metrics.h"

#include <absl/status/status.h>
#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "common/method_roles.h"

namespace gridsweep {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using Clock = std::chrono::steady_clock;

// As A66 has them.
const prometheus::Histogram::BucketBoundaries kLatencies = {
    0,     0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004,
    0.005, 0.006,   0.008,   0.01,   0.013,  0.016,  0.02,   0.025, 0.03,  0.04,  0.05,
    0.065, 0.08,    0.1,     0.13,   0.16,   0.2,    0.25,   0.3,   0.4,   0.5,   0.65,
    0.8,   1,       2,       5,      10,     20,     50,     100};
const prometheus::Histogram::BucketBoundaries kSizes = {
    0,       1024,    2048,     4096,     16384,     65536,      262144,
    1048576, 4194304, 16777216, 67108864, 268435456, 1073741824, 4294967296};

constexpr char kOurMethods[] = "/gridsweep.";
// A66's word for methods that the server does not have: callers may invent any number of them.
constexpr char kUnknownMethod[] = "other";

std::string NameOf(const char* path) { return *path == '/' ? path + 1 : path; }

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string StatusName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// Size on the wire of a message that generated code handles.
double SizeOf(const void* message) {
  return message == nullptr
             ? 0
             : static_cast<double>(
                   static_cast<const google::protobuf::MessageLite*>(message)->ByteSizeLong());
}

}  // namespace

// One call that a server answers; gRPC calls it from one thread at a time.
class RpcMetrics::Served final : public grpc::experimental::Interceptor {
 public:
  Served(RpcMetrics& metrics, const char* path)
      : metrics_(metrics),
        method_(metrics.ServerMethod(path)),
        ours_(std::strncmp(path, kOurMethods, sizeof(kOurMethods) - 1) == 0) {
    method_.started->Increment();
  }

  void Intercept(InterceptorBatchMethods* methods) override {
    // Services that are not ours may move raw buffers.
    if (ours_ && methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE)) {
      received_ += SizeOf(methods->GetRecvMessage());
    }
    if (ours_ && methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)) {
      sent_ += SizeOf(methods->GetSendMessage());
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      End(methods->GetSendStatus());
    }
    methods->Proceed();
  }

 private:
  void End(const grpc::Status& status) {
    const grpc::StatusCode code = status.error_code();
    const prometheus::Labels labels = {{"grpc_method", method_.name}};
    metrics_
        .Of(method_.duration, code, "grpc_server_call_duration_seconds",
            "Seconds from the arrival of a call to its status.", kLatencies, labels)
        .Observe(SecondsSince(start_));
    metrics_
        .Of(method_.sent, code, "grpc_server_call_sent_total_compressed_message_size_bytes",
            "Bytes of the messages that a call was answered with.", kSizes, labels)
        .Observe(sent_);
    metrics_
        .Of(method_.received, code, "grpc_server_call_rcvd_total_compressed_message_size_bytes",
            "Bytes of the messages that a call brought.", kSizes, labels)
        .Observe(received_);
    if (!status.ok() && metrics_.refused_) metrics_.refused_(status);
  }

  RpcMetrics& metrics_;
  Method& method_;
  const bool ours_;
  const Clock::time_point start_ = Clock::now();
  double sent_ = 0, received_ = 0;
};

class RpcMetrics::ServedFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit ServedFactory(RpcMetrics& metrics) : metrics_(metrics) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new Served(metrics_, info->method());
  }

 private:
  RpcMetrics& metrics_;
};

// Calls to one target.
class RpcMetrics::MadeFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  MadeFactory(RpcMetrics& metrics, std::string target)
      : metrics_(metrics), target_(std::move(target)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* info) override;

  void Observe(Method& method, grpc::StatusCode code, double seconds) {
    metrics_
        .Of(method.duration, code, "grpc_client_call_duration_seconds",
            "Seconds from the start of a call to its status, gRPC's retries included.", kLatencies,
            {{"grpc_method", method.name}, {"grpc_target", target_}})
        .Observe(seconds);
  }

 private:
  RpcMetrics& metrics_;
  const std::string target_;
  Mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Method>> methods_ GUARDED_BY(mutex_);
};

class RpcMetrics::Made final : public grpc::experimental::Interceptor {
 public:
  Made(MadeFactory& factory, Method& method) : factory_(factory), method_(method) {}
  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_STATUS)) {
      factory_.Observe(method_, methods->GetRecvStatus()->error_code(), SecondsSince(start_));
    }
    methods->Proceed();
  }

 private:
  MadeFactory& factory_;
  Method& method_;
  const Clock::time_point start_ = Clock::now();
};

grpc::experimental::Interceptor* RpcMetrics::MadeFactory::CreateClientInterceptor(
    grpc::experimental::ClientRpcInfo* info) {
  MutexLock lock(mutex_);
  auto& method = methods_[info->method()];
  if (method == nullptr) {
    method = std::make_unique<Method>();
    method->name = NameOf(info->method());
  }
  return new Made(*this, *method);
}

RpcMetrics::RpcMetrics(Metrics& metrics, std::function<void(const grpc::Status&)> refused)
    : metrics_(metrics), refused_(std::move(refused)) {}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
RpcMetrics::ServerInterceptors() {
  return std::make_unique<ServedFactory>(*this);
}

std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>
RpcMetrics::ClientInterceptors(const std::string& target) {
  return std::make_unique<MadeFactory>(*this, target);
}

RpcMetrics::Method& RpcMetrics::ServerMethod(const char* path) {
  if (!RuleOf(path)) path = kUnknownMethod;
  MutexLock lock(mutex_);
  auto& method = methods_[path];
  if (method == nullptr) {
    method = std::make_unique<Method>();
    method->name = NameOf(path);
    method->started = &metrics_.Counter("grpc_server_call_started_total", "Calls that arrived.",
                                        {{"grpc_method", method->name}});
  }
  return *method;
}

prometheus::Histogram& RpcMetrics::Of(ByStatus& histograms, grpc::StatusCode code, const char* name,
                                      const char* help,
                                      const prometheus::Histogram::BucketBoundaries& buckets,
                                      prometheus::Labels labels) {
  const size_t place = std::min(static_cast<size_t>(code), kStatuses - 1);
  if (auto* known = histograms[place].load()) return *known;
  labels["grpc_status"] = StatusName(code);
  // Two threads that come here together get the same histogram.
  prometheus::Histogram& made = metrics_.Histogram(name, help, buckets, labels);
  histograms[place] = &made;
  return made;
}

}  // namespace gridsweep

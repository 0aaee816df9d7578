// Calls served and made, by the names of gRPC's proposal A66 in Prometheus' spelling.
//
// grpc_server_call_started_total{grpc_method},
// grpc_server_call_duration_seconds{grpc_method, grpc_status},
// grpc_server_call_sent_total_compressed_message_size_bytes and ..._rcvd_... with the same labels
// (nothing here is compressed: the sizes are the messages'),
// grpc_client_call_duration_seconds{grpc_method, grpc_target, grpc_status}. Attempts within a call
// are not told apart: gRPC's retries happen below what an interceptor sees. Calls of methods that
// no server of ours has are all counted as grpc_method="other".
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/server_interceptor.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/metrics.h"
#include "common/mutex.h"

namespace gridsweep {

// Outlives the servers and channels that it is given to. Thread-safe.
class RpcMetrics {
 public:
  // `refused` hears of each call that a server ends with an error; from any thread.
  explicit RpcMetrics(Metrics& metrics, std::function<void(const grpc::Status&)> refused = nullptr);

  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> ServerInterceptors();
  std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> ClientInterceptors(
      const std::string& target);

 private:
  static constexpr size_t kStatuses = 17;
  using ByStatus = std::array<std::atomic<prometheus::Histogram*>, kStatuses>;
  // One method's metrics; those of a status are made when it first occurs.
  struct Method {
    std::string name;
    prometheus::Counter* started = nullptr;
    ByStatus duration{}, sent{}, received{};
  };
  class Served;
  class Made;
  class ServedFactory;
  class MadeFactory;

  Method& ServerMethod(const char* path) LOCKS_EXCLUDED(mutex_);
  prometheus::Histogram& Of(ByStatus& histograms, grpc::StatusCode code, const char* name,
                            const char* help,
                            const prometheus::Histogram::BucketBoundaries& buckets,
                            prometheus::Labels labels);

  Metrics& metrics_;
  const std::function<void(const grpc::Status&)> refused_;
  Mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Method>> methods_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep

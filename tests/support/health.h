// gRPC health as a client asks for it.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <string>
#include <vector>

#include "common/rpc.h"

namespace gridsweep::testing {

enum Health { kUnknownService = -1, kServing = 1, kNotServing = 2 };

// What the server at `address` answers for `service`; kUnknownService also where it does not.
inline int HealthOf(const std::string& address, const std::string& service) {
  // grpc.health.v1: HealthCheckRequest{string service = 1}, HealthCheckResponse{enum status = 1}.
  std::string request;
  if (!service.empty()) {
    request.push_back('\x0a');
    request.push_back(static_cast<char>(service.size()));
    request.append(service);
  }
  const grpc::Slice slice(request);
  grpc::ByteBuffer buffer(&slice, 1);
  grpc::GenericStub stub(Dial(address));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", buffer, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (!status.ok() || !answer.Dump(&slices).ok() || slices.empty()) return kUnknownService;
  return slices[0].begin()[1];
}

}  // namespace gridsweep::testing

// A gRPC call whose messages are bytes: any method, of any kind of streaming.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/message.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace gridsweep::sweepctl {

// Blocking; for one thread.
class GenericCall {
 public:
  // `path` is "/package.Service/Method".
  GenericCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& path,
              grpc::ClientContext& context);
  ~GenericCall();

  // False when the call has ended: Finish says why.
  bool Write(const google::protobuf::Message& message);
  void WritesDone();
  // False at the end of the stream, or when the bytes are not such a message.
  bool Read(google::protobuf::Message& message);
  absl::Status Finish();

 private:
  bool Wait();

  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  grpc::ClientContext& context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool finished_ = false;
};

}  // namespace gridsweep::sweepctl

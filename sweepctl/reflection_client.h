// Services and messages of a server, as its reflection (v1alpha) tells them.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

namespace gridsweep::sweepctl {

class ReflectionClient {
 public:
  explicit ReflectionClient(std::shared_ptr<grpc::Channel> channel);

  absl::StatusOr<std::vector<std::string>> ListServices();
  // A service, a message or an enum, with all that it needs. NOT_FOUND.
  absl::StatusOr<const google::protobuf::ServiceDescriptor*> FindService(const std::string& name);
  absl::StatusOr<const google::protobuf::Descriptor*> FindMessage(const std::string& name);
  // The .proto text of a symbol.
  absl::StatusOr<std::string> Describe(const std::string& symbol);

  std::unique_ptr<google::protobuf::Message> NewMessage(
      const google::protobuf::Descriptor& descriptor);
  const google::protobuf::DescriptorPool& pool() const { return pool_; }

 private:
  // Adds the files that define `symbol` to the pool.
  absl::Status Load(const std::string& symbol);

  std::shared_ptr<grpc::Channel> channel_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
};

}  // namespace gridsweep::sweepctl

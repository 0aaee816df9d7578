#include "common/rpc.h"

#include <gtest/gtest.h>

#include "common/status.h"
#include "gridsweep/v1/admin.grpc.pb.h"

namespace gridsweep {
namespace {

class OneWorker : public v1::AdminService::Service {
  grpc::Status ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest*,
                           v1::ListWorkersResponse* response) override {
    response->add_workers()->set_name("ada");
    return grpc::Status::OK;
  }
};

std::string FirstWorker(const std::string& address) {
  auto stub = v1::AdminService::NewStub(Dial(address));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::ListWorkersResponse response;
  const grpc::Status status = stub->ListWorkers(&context, {}, &response);
  return status.ok() ? response.workers(0).name() : status.error_message();
}

TEST(RpcServer, ServesOnLoopbackAndFillsInThePort) {
  OneWorker service;
  auto server = RpcServer::Start("127.0.0.1:0", {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_NE((*server)->address(), "127.0.0.1:0");
  EXPECT_EQ(FirstWorker((*server)->address()), "ada");
}

TEST(RpcServer, ServesOnAUnixSocket) {
  OneWorker service;
  char directory[] = "/tmp/gridsweep-rpc-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string address = std::string("unix:") + directory + "/s";
  auto server = RpcServer::Start(address, {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(FirstWorker(address), "ada");
}

TEST(RpcServer, RefusesToListenBeyondThisMachine) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.1:7070"}) {
    EXPECT_EQ(RpcServer::Start(address, {}).status().code(), absl::StatusCode::kFailedPrecondition)
        << address;
  }
}

TEST(RpcServer, SaysThatItsAddressIsTaken) {
  OneWorker service;
  auto first = RpcServer::Start("127.0.0.1:0", {&service});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(RpcServer::Start((*first)->address(), {&service}).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace gridsweep

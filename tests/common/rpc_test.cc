#include "common/rpc.h"

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "common/rpc_metrics.h"
#include "common/status.h"
#include "common/strings.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "tests/support/health.h"
#include "tests/support/temporary_directory.h"

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
  const testing::TemporaryDirectory directory;
  const std::string address = "unix:" + (directory / "s").string();
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

TEST(RpcServer, HealthTellsReadyFromAlive) {
  OneWorker service;
  auto server = RpcServer::Start("127.0.0.1:0", {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto expect = [&](testing::Health ready) {
    EXPECT_EQ(testing::HealthOf((*server)->address(), ""), ready);
    EXPECT_EQ(testing::HealthOf((*server)->address(), "gridsweep.v1.AdminService"), ready);
    EXPECT_EQ(testing::HealthOf((*server)->address(), kLiveness), testing::kServing);
  };
  expect(testing::kServing);
  (*server)->SetReady(false);
  expect(testing::kNotServing);
  (*server)->SetReady(true);
  expect(testing::kServing);
  (*server)->SetNotServing();
  (*server)->SetReady(true);  // what it leans on is back, but it is going
  expect(testing::kNotServing);
  EXPECT_EQ(testing::HealthOf((*server)->address(), "gridsweep.v1.NoSuchService"),
            testing::kUnknownService);
}

TEST(RpcMetrics, CallsAreCountedByMethodAndStatus) {
  Metrics metrics("test", "1.2.3");
  int refused = 0;
  RpcMetrics calls(metrics, [&](const grpc::Status&) { ++refused; });
  OneWorker service;
  {
    auto server = RpcServer::Start("127.0.0.1:0", {&service}, {}, nullptr, &calls);
    ASSERT_TRUE(server.ok()) << server.status();
    auto stub = v1::AdminService::NewStub(Dial((*server)->address(), {}, &calls));
    for (int i = 0; i < 3; ++i) {
      grpc::ClientContext context;
      v1::ListWorkersResponse workers;
      ASSERT_TRUE(stub->ListWorkers(&context, {}, &workers).ok());
    }
    grpc::ClientContext context;
    v1::DrainWorkerResponse drained;
    ASSERT_FALSE(stub->DrainWorker(&context, {}, &drained).ok());
  }
  const std::string text = metrics.Text();
  const auto has = [&](const std::string& line) {
    EXPECT_NE(text.find(line + "\n"), std::string::npos) << line << " is not in\n" << text;
  };
  const std::string list = "grpc_method=\"gridsweep.v1.AdminService/ListWorkers\"";
  const std::string drain = "grpc_method=\"gridsweep.v1.AdminService/DrainWorker\"";
  has("grpc_server_call_started_total{" + list + "} 3");
  has("grpc_server_call_duration_seconds_count{" + list + ",grpc_status=\"OK\"} 3");
  has("grpc_server_call_duration_seconds_count{" + drain + ",grpc_status=\"UNIMPLEMENTED\"} 1");
  // A worker {name: "ada"} is 7 bytes in its response: two of the field, two of the name's, "ada".
  has("grpc_server_call_sent_total_compressed_message_size_bytes_sum{" + list +
      ",grpc_status=\"OK\"} 21");
  EXPECT_NE(text.find("grpc_client_call_duration_seconds_count{" + list), std::string::npos);
  has("gridsweep_build_info{program=\"test\",version=\"1.2.3\"} 1");
  EXPECT_EQ(refused, 1);
}

TEST(RpcMetrics, InventedMethodsShareOneLabel) {
  Metrics metrics("test", "1.2.3");
  RpcMetrics calls(metrics);
  OneWorker service;
  auto server = RpcServer::Start("127.0.0.1:0", {&service}, {}, nullptr, &calls);
  ASSERT_TRUE(server.ok()) << server.status();
  const size_t before = metrics.Text().size();
  grpc::GenericStub stub(Dial((*server)->address()));
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice nothing("");
    const grpc::ByteBuffer request(&nothing, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call =
        stub.PrepareUnaryCall(&context, StrCat("/gridsweep.v1.Invented/M", i), request, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  const std::string text = metrics.Text();
  EXPECT_EQ(text.find("Invented"), std::string::npos);
  EXPECT_NE(text.find("grpc_server_call_started_total{grpc_method=\"other\"} 50\n"),
            std::string::npos)
      << text;
  EXPECT_LT(text.size(), before + 16384) << "of 50 methods it would be 400 kB";
}

TEST(RpcServer, TakesNoCompressedMessages) {
  OneWorker service;
  auto server = RpcServer::Start("127.0.0.1:0", {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  auto stub = v1::AdminService::NewStub(Dial((*server)->address()));
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_NONE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    v1::ListWorkersRequest request;
    v1::ListWorkersResponse response;
    EXPECT_EQ(stub->ListWorkers(&context, request, &response).ok(),
              algorithm == GRPC_COMPRESS_NONE);
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

// What clients can make a server hold before any token is looked at.
#include <grpc/byte_buffer.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>

#include "common/rpc.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "tests/support/process_memory.h"
#include "tests/support/program.h"

namespace gridsweep {
namespace {

using testing::ProcessMiB;

constexpr int kConnectionMiB = 64;

// The server is in this process; its clients keep little.
class ConnectionMemory : public ::testing::Test {
 protected:
  ConnectionMemory() {
    ServerSecurity security;
    security.connection_memory_mib = kConnectionMiB;
    auto server = RpcServer::Start("127.0.0.1:0", {&service_}, security);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    before_ = ProcessMiB(getpid(), "VmHWM");
  }
  int64_t PeakGrowth() const { return ProcessMiB(getpid(), "VmHWM") - before_; }

  v1::AdminService::Service service_;
  std::unique_ptr<RpcServer> server_;
  int64_t before_ = 0;
};

// `size` zeros.
std::string Gzipped(size_t size) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 | 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string zeros(1 << 20, '\0'), out;
  char buffer[1 << 16];
  for (size_t done = 0; done < size; done += zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    const bool last = done + zeros.size() >= size;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer);
      stream.avail_out = sizeof buffer;
      deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
      out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

// Sends one message that is gzip already.
grpc::Status SendGzipped(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                         const std::string& bytes) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data(), bytes.size());
  grpc::ByteBuffer message;
  // The C++ API cannot say that a buffer is compressed; it holds a pointer to one that can.
  static_assert(sizeof(grpc::ByteBuffer) == sizeof(grpc_byte_buffer*));
  *reinterpret_cast<grpc_byte_buffer**>(&message) =
      grpc_raw_compressed_byte_buffer_create(&slice, 1, GRPC_COMPRESS_GZIP);
  grpc_slice_unref(slice);
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(&context, method, message, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return status;
}

// Inflated, it is compared with the limit of a message when it takes 1.2 GB, and three take 2.2 GB.
TEST_F(ConnectionMemory, CompressedMessagesAreRefusedBeforeTheyAreInflated) {
  const std::string bytes = Gzipped(size_t{1100} << 20);
  ASSERT_LT(bytes.size(), size_t{2} << 20);
  const auto channel = Dial(server_->address());
  for (const char* method :
       {"/grpc.health.v1.Health/Check", "/gridsweep.v1.AdminService/ListWorkers"}) {
    EXPECT_EQ(SendGzipped(channel, method, bytes).error_code(), grpc::StatusCode::UNIMPLEMENTED)
        << method;
  }
  EXPECT_LT(PeakGrowth(), 60);
}

// Without a resource quota: 1.2 GB, for as long as the client likes.
TEST_F(ConnectionMemory, MessagesThatNeverEndShareABudget) {
  const testing::Ran ran = testing::Run(
      {"/usr/bin/python3", GRIDSWEEP_SOURCE_DIR "/tests/support/unfinished_messages.py",
       server_->address(), "/grpc.health.v1.Health/Check", "300", "4000000"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_LT(PeakGrowth(), 3 * kConnectionMiB + 60) << ran.out;
  // The server answers others.
  grpc::ClientContext context;
  v1::ListWorkersResponse response;
  EXPECT_EQ(v1::AdminService::NewStub(Dial(server_->address()))
                ->ListWorkers(&context, v1::ListWorkersRequest(), &response)
                .error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace gridsweep

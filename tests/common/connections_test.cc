// Connections that are of no use to anybody are closed in the server's times.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include "common/rpc.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "tests/support/certificates.h"
#include "tests/support/link.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep {
namespace {

// Answers when its client has gone.
class Waiting : public v1::AdminService::Service {
 public:
  grpc::Status ListWorkers(grpc::ServerContext* context, const v1::ListWorkersRequest* request,
                           v1::ListWorkersResponse*) override {
    if (request->all()) return grpc::Status::OK;
    waiting_ = true;
    while (!context->IsCancelled() && !stop_) absl::SleepFor(absl::Milliseconds(5));
    gone_ = context->IsCancelled();
    return grpc::Status::OK;
  }
  std::atomic<bool> waiting_ = false, gone_ = false, stop_ = false;
};

class Connections : public ::testing::Test {
 protected:
  ~Connections() override {
    service_.stop_ = true;
    server_.reset();
  }
  void Start(const std::string& address, ServerSecurity security, ConnectionTimes times) {
    security.times = times;
    auto server = RpcServer::Start(address, {&service_}, security);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // Connects, sends `bytes` and waits for the other end to close; false when it does not in 20 s.
  bool IsClosedAfter(const std::string& bytes) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const std::string& address = server_->address();
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    bool closed = false;
    while (!closed && absl::Now() < deadline) {
      pollfd ready{fd, POLLIN, 0};
      char buffer[4096];
      if (poll(&ready, 1, 100) > 0) closed = recv(fd, buffer, sizeof buffer, 0) <= 0;
    }
    close(fd);
    return closed;
  }

  // HTTP/2's first words: the preface and empty settings.
  const std::string preface_ =
      std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\x04\0\0\0\0\0", 9);
  const testing::TemporaryDirectory directory_;
  Waiting service_;
  std::unique_ptr<RpcServer> server_;
};

constexpr absl::Duration kShort = absl::Milliseconds(400), kLong = absl::Hours(1);

TEST_F(Connections, WithoutAWordAreClosed) {
  Start("127.0.0.1:0", {}, {.handshake = kShort, .idle = kLong});
  EXPECT_TRUE(IsClosedAfter(""));
  EXPECT_TRUE(IsClosedAfter(preface_.substr(0, 10)));
}

TEST_F(Connections, InTheMiddleOfATlsHandshakeAreClosed) {
  const testing::Authority authority(directory_ / "tls");
  authority.Sign("server");
  ServerSecurity security;
  security.tls_cert = authority.cert("server");
  security.tls_key = authority.key("server");
  Start("127.0.0.1:0", security, {.handshake = kShort, .idle = kLong});
  EXPECT_TRUE(IsClosedAfter(""));
  EXPECT_TRUE(IsClosedAfter(std::string("\x16\x03\x01\x02\x00\x01", 6)));  // of a ClientHello
}

TEST_F(Connections, WithoutACallAreClosedAndClientsNoticeNothing) {
  Start("127.0.0.1:0", {}, {.handshake = kLong, .idle = kShort});
  EXPECT_TRUE(IsClosedAfter(preface_));
  const auto stub = v1::AdminService::NewStub(Dial(server_->address()));
  v1::ListWorkersRequest request;
  request.set_all(true);
  for (int i = 0; i < 4; ++i) {
    grpc::ClientContext context;
    v1::ListWorkersResponse response;
    const grpc::Status status = stub->ListWorkers(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    absl::SleepFor(1.5 * kShort);
  }
}

TEST_F(Connections, WhoseClientVanishedEndItsCalls) {
  const std::string socket = directory_ / "server", way = directory_ / "way";
  Start("unix:" + socket, {}, {.ping_after = kShort, .ping_answer = kShort});
  testing::Link link(way, {socket});
  const auto stub = v1::AdminService::NewStub(Dial("unix:" + way));
  grpc::ClientContext context;
  v1::ListWorkersResponse response;
  grpc::CompletionQueue queue;
  grpc::Status status;
  const auto call = stub->AsyncListWorkers(&context, {}, &queue);
  call->Finish(&response, &status, nullptr);
  ASSERT_TRUE(testing::Within([&] { return service_.waiting_.load(); }));
  absl::SleepFor(4 * kShort);
  EXPECT_FALSE(service_.gone_) << "it is there, and answers pings";
  link.Set(testing::Link::State::kStalled);
  EXPECT_TRUE(testing::Within([&] { return service_.gone_.load(); }, std::chrono::seconds(20)));
  context.TryCancel();
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
}

}  // namespace
}  // namespace gridsweep

#include "common/http_door.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <list>
#include <thread>

#include "common/strings.h"

namespace gridsweep {
namespace {

class HttpDoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto door = HttpDoor::Start({"127.0.0.1:0"}, metrics_, [this] { return ready_; });
    ASSERT_TRUE(door.ok()) << door.status();
    door_ = *std::move(door);
  }
  httplib::Result Get(const std::string& path) {
    return httplib::Client("http://" + door_->address()).Get(path);
  }

  Metrics metrics_{"test", "1"};
  absl::Status ready_;
  std::unique_ptr<HttpDoor> door_;
};

TEST_F(HttpDoorTest, MetricsAreTextThatPrometheusReads) {
  metrics_.Counter("gridsweep_things_total", "Things.", {{"kind", "good"}}).Increment(3);
  metrics_.Histogram("gridsweep_wait_seconds", "Waits.", {0.5, 1}).Observe(0.7);
  const auto answer = Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type").rfind("text/plain; version=0.0.4", 0), 0u);
  for (const char* line :
       {"# TYPE gridsweep_things_total counter\n", "gridsweep_things_total{kind=\"good\"} 3\n",
        "gridsweep_wait_seconds_bucket{le=\"0.5\"} 0\n",
        "gridsweep_wait_seconds_bucket{le=\"1\"} 1\n", "gridsweep_wait_seconds_count 1\n"}) {
    EXPECT_NE(answer->body.find(line), std::string::npos) << line << answer->body;
  }
}

TEST_F(HttpDoorTest, AliveIsNotReady) {
  EXPECT_EQ(Get("/readyz")->status, 200);
  ready_ = absl::UnavailableError("the database is away");
  EXPECT_EQ(Get("/readyz")->status, 503);
  EXPECT_EQ(Get("/readyz")->body, "the database is away\n");
  EXPECT_EQ(Get("/healthz")->status, 200);
  EXPECT_EQ(Get("/etc/passwd")->status, 404);
}

// A client that has connected and sent `text`.
class Client {
 public:
  Client(const std::string& address, const std::string& text) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    Send(text);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;

  // False once the other end has closed the connection.
  bool Send(const std::string& text) {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // What comes until the other end closes.
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    for (ssize_t n; (n = recv(fd_, buffer, sizeof buffer, 0)) > 0;) all.append(buffer, n);
    return all;
  }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM, 0);
};

class SlowClients : public HttpDoorTest {
 protected:
  void StartWith(std::chrono::milliseconds request_time, size_t most_connections) {
    auto door = HttpDoor::Start({"127.0.0.1:0", false, request_time, most_connections}, metrics_,
                                [this] { return ready_; });
    ASSERT_TRUE(door.ok()) << door.status();
    door_ = *std::move(door);
  }
};

// With cpp-httplib, four of them held its four threads.
TEST_F(SlowClients, HoldUpNoProbe) {
  StartWith(std::chrono::seconds(30), 256);
  std::list<Client> slow;
  for (int i = 0; i < 200; ++i) slow.emplace_back(door_->address(), "GET /healthz HTTP/1.1\r\n");
  for (int line = 0; line < 5; ++line) {
    for (Client& client : slow) EXPECT_TRUE(client.Send(StrCat("X-", line, ": slow\r\n")));
    for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
      const auto start = std::chrono::steady_clock::now();
      const auto answer = Get(path);
      ASSERT_TRUE(answer) << path;
      EXPECT_EQ(answer->status, 200);
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2)) << path;
    }
  }
}

TEST_F(SlowClients, HaveOneTimeForTheWholeRequest) {
  StartWith(std::chrono::milliseconds(300), 256);
  Client slow(door_->address(), "GET /healthz HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  // A line each 50 ms: never silent for long, never done.
  while (slow.Send("X-Slow: yes\r\n") &&
         std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(slow.ReadAll(), "");
}

TEST_F(SlowClients, GiveWayToNewOnesBeyondTheMostConnections) {
  StartWith(std::chrono::seconds(30), 8);
  std::list<Client> slow;
  for (int i = 0; i < 100; ++i) slow.emplace_back(door_->address(), "GET /healthz HTTP/1.1\r\n");
  EXPECT_EQ(Get("/healthz")->status, 200);
  EXPECT_EQ(slow.front().ReadAll(), "") << "the oldest was closed";
}

TEST_F(SlowClients, WhoSendsTooMuchOrOtherThanHttpIsClosed) {
  StartWith(std::chrono::seconds(30), 8);
  Client large(door_->address(), "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'));
  EXPECT_EQ(large.ReadAll(), "");
  Client other(door_->address(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(other.ReadAll().find("200"), std::string::npos);
  Client post(door_->address(), "POST /healthz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(post.ReadAll().rfind("HTTP/1.1 405 ", 0), 0u);
  Client head(door_->address(), "HEAD /healthz HTTP/1.1\r\n\r\n");
  const std::string answer = head.ReadAll();
  EXPECT_EQ(answer.rfind("HTTP/1.1 200 ", 0), 0u) << answer;
  EXPECT_EQ(answer.substr(answer.size() - 4), "\r\n\r\n");
}

TEST_F(HttpDoorTest, RefusesToListenBeyondThisMachineUnlessToldTo) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.1:9090"}) {
    EXPECT_EQ(HttpDoor::Start({address}, metrics_, nullptr).status().code(),
              absl::StatusCode::kFailedPrecondition)
        << address;
  }
  auto open = HttpDoor::Start({"0.0.0.0:0", true}, metrics_, nullptr);
  EXPECT_TRUE(open.ok()) << open.status();
}

TEST_F(HttpDoorTest, SaysWhatIsWrongWithItsAddress) {
  for (const char* address : {"9090", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":90"}) {
    EXPECT_EQ(HttpDoor::Start({address}, metrics_, nullptr).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_EQ(HttpDoor::Start({door_->address()}, metrics_, nullptr).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(HttpDoorTest, WithoutAnAddressThereIsNoDoor) {
  auto none = HttpDoor::Start({}, metrics_, nullptr);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, nullptr);
}

}  // namespace
}  // namespace gridsweep

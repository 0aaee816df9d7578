#include "common/http_post.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "common/strings.h"
#include "tests/support/certificates.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep {
namespace {

// Runs an httplib server while it lives.
class Serving {
 public:
  explicit Serving(httplib::Server& http) : http_(http) {
    http.Post("/told", [this](const httplib::Request& request, httplib::Response& response) {
      body = request.body;
      type = request.get_header_value("Content-Type");
      response.status = status;
      response.set_content("a body of no use", "text/plain");
    });
    port = http.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([&http] { http.listen_after_bind(); });
    while (!http.is_running()) std::this_thread::yield();
  }
  ~Serving() {
    http_.stop();
    thread_.join();
  }
  int port = 0;
  std::atomic<int> status = 200;
  std::string body, type;

 private:
  httplib::Server& http_;
  std::thread thread_;
};

TEST(PostJson, SendsItAndSaysWhatCame) {
  httplib::Server http;
  Serving server(http);
  const std::string url = StrCat("http://127.0.0.1:", server.port, "/told");
  EXPECT_TRUE(PostJson(url, "{\"a\": 1}", absl::Seconds(10)).ok());
  EXPECT_EQ(server.body, "{\"a\": 1}");
  EXPECT_EQ(server.type, "application/json");
  server.status = 204;
  EXPECT_TRUE(PostJson(url + "?token=x", "{}", absl::Seconds(10)).ok());
  for (const int status : {301, 404, 503}) {
    server.status = status;
    const absl::Status answered = PostJson(url, "{}", absl::Seconds(10));
    EXPECT_EQ(answered.code(), absl::StatusCode::kUnknown);
    EXPECT_NE(answered.message().find(absl::StrCat(status)), absl::string_view::npos) << answered;
  }
}

TEST(PostJson, NobodyThereIsUnavailable) {
  EXPECT_TRUE(absl::IsUnavailable(PostJson("http://127.0.0.1:1/", "{}", absl::Seconds(5))));
  EXPECT_TRUE(absl::IsUnavailable(PostJson("http://[::1]:1/", "{}", absl::Seconds(5))));
}

// A byte now and then met every time that was for a part of the call alone.
TEST(PostJson, AllOfItHasOneTime) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof any;
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&any), &size), 0);
  std::thread dripping([listener] {
    const int fd = accept(listener, nullptr, nullptr);
    const std::string header = "HTTP/1.1 200 OK\r\nX: " + std::string(600, 'x');
    for (const char c : header) {
      if (send(fd, &c, 1, MSG_NOSIGNAL) != 1) break;
      absl::SleepFor(absl::Milliseconds(50));
    }
    close(fd);
  });
  const absl::Time start = absl::Now();
  const absl::Status status = PostJson(StrCat("http://127.0.0.1:", ntohs(any.sin_port), "/"), "{}",
                                       absl::Milliseconds(500));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  dripping.join();
  close(listener);
}

TEST(PostJson, CertificatesMustBeValidAndOfThatHost) {
  const testing::TemporaryDirectory directory;
  const testing::Authority authority(directory / "tls");
  authority.Sign("server");  // for localhost and 127.0.0.1
  httplib::SSLServer http(authority.cert("server").c_str(), authority.key("server").c_str());
  Serving server(http);
  const std::string url = StrCat("https://localhost:", server.port, "/told");
  EXPECT_TRUE(absl::IsUnavailable(PostJson(url, "{}", absl::Seconds(10)))) << "by nobody we trust";
  setenv("SSL_CERT_FILE", authority.ca().c_str(), 1);
  const absl::Status trusted = PostJson(url, "{}", absl::Seconds(10));
  EXPECT_TRUE(trusted.ok()) << trusted;
  EXPECT_TRUE(absl::IsUnavailable(
      PostJson(StrCat("https://127.0.0.2:", server.port, "/told"), "{}", absl::Seconds(10))));
  unsetenv("SSL_CERT_FILE");
}

}  // namespace
}  // namespace gridsweep

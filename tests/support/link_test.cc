// The wire that tests cut, slow down and lead elsewhere.
#include "tests/support/link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

// Answers each connection with its greeting, and then with all that comes.
class Echo {
 public:
  Echo(const std::string& path, std::string greeting)
      : listener_(socket(AF_UNIX, SOCK_STREAM, 0)), greeting_(std::move(greeting)) {
    const sockaddr_un address = AddressOf(path);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    thread_ = std::thread([this] { Loop(); });
  }
  ~Echo() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

 private:
  void Loop() {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      std::string bytes = greeting_;
      do {
        send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        bytes.resize(4096);
        const ssize_t got = read(fd, bytes.data(), bytes.size());
        bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
      } while (!bytes.empty());
    }
  }

  const int listener_;
  const std::string greeting_;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    const sockaddr_un address = AddressOf(path);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { close(fd_); }
  void Send(const std::string& bytes) { send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Up to `n` bytes: less when the connection has ended.
  std::string Read(size_t n) {
    std::string bytes;
    char some[4096];
    while (bytes.size() < n) {
      const ssize_t got = read(fd_, some, std::min(sizeof(some), n - bytes.size()));
      if (got <= 0) break;
      bytes.append(some, static_cast<size_t>(got));
    }
    return bytes;
  }

 private:
  const int fd_;
};

class LinkTest : public ::testing::Test {
 protected:
  const TemporaryDirectory directory_;
  const std::string here_ = directory_ / "link", one_ = directory_ / "1", two_ = directory_ / "2";
  Echo first_{one_, "1"}, second_{two_, "2"};
  Link link_{here_, {one_}};
};

TEST_F(LinkTest, PassesSlowlyAndLosesNothing) {
  Client client(here_);
  EXPECT_EQ(client.Read(1), "1");
  link_.Set(Link::State::kSlow, 20'000);
  std::string bytes(8'000, 'x');
  bytes[7'000] = 'y';
  const auto start = Clock::now();
  client.Send(bytes);
  EXPECT_EQ(client.Read(bytes.size()), bytes);
  // There and back, one beside the other.
  EXPECT_GT(Clock::now() - start, std::chrono::milliseconds(300));
}

TEST_F(LinkTest, LeadsElsewhereAndBack) {
  Client client(here_);
  EXPECT_EQ(client.Read(1), "1");
  link_.Lead({two_});
  EXPECT_EQ(client.Read(1), "") << "a connection that leads elsewhere is another connection";
  EXPECT_EQ(Client(here_).Read(1), "2");
  link_.Lead({one_});
  EXPECT_EQ(Client(here_).Read(1), "1");
}

TEST_F(LinkTest, IsCut) {
  Client client(here_);
  EXPECT_EQ(client.Read(1), "1");
  link_.Set(Link::State::kCut);
  EXPECT_EQ(client.Read(1), "");
  link_.Set(Link::State::kOpen);
  EXPECT_EQ(Client(here_).Read(1), "1");
}

}  // namespace
}  // namespace gridsweep::testing

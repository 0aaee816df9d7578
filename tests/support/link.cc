#include "tests/support/link.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace gridsweep::testing {
namespace {

constexpr size_t kMostPending = 1 << 20;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof(address.sun_path));
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return address;
}

int Socket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

}  // namespace

Link::Link(const std::string& path, std::vector<std::string> targets)
    : path_(path), targets_(std::move(targets)), listener_(Socket()) {
  const sockaddr_un address = AddressOf(path);
  EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << path;
  EXPECT_EQ(listen(listener_, 64), 0);
  EXPECT_EQ(pipe2(wake_, O_NONBLOCK | O_CLOEXEC), 0);
  thread_ = std::thread([this] { Loop(); });
}

Link::~Link() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  (void)!write(wake_[1], "", 1);
  thread_.join();
  CloseAll();
  for (const int fd : {listener_, wake_[0], wake_[1]}) close(fd);
  unlink(path_.c_str());
}

void Link::Set(State state) {
  {
    MutexLock lock(mutex_);
    state_ = state;
  }
  (void)!write(wake_[1], "", 1);
}

int Link::Dial() const {
  for (const std::string& target : targets_) {
    const sockaddr_un address = AddressOf(target);
    const int fd = Socket();
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
    close(fd);
  }
  return -1;
}

void Link::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = Dial();
  if (server < 0) {
    close(client);
  } else {
    pairs_.push_back({{client, server}, {}});
  }
}

bool Link::Flush(Pair& pair, int to) {
  std::string& pending = pair.pending[to];
  const ssize_t sent = send(pair.ends[to], pending.data(), pending.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  pending.erase(0, static_cast<size_t>(sent));
  return true;
}

bool Link::Pass(Pair& pair, int from) {
  char bytes[1 << 16];
  const ssize_t got = read(pair.ends[from], bytes, sizeof(bytes));
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  pair.pending[1 - from].append(bytes, static_cast<size_t>(got));
  return Flush(pair, 1 - from);
}

void Link::CloseAll() {
  for (const Pair& pair : pairs_) {
    close(pair.ends[0]);
    close(pair.ends[1]);
  }
  pairs_.clear();
}

void Link::Loop() {
  for (;;) {
    State state;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      state = state_;
    }
    if (state == State::kCut) CloseAll();
    std::vector<pollfd> fds = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    if (state == State::kStalled) fds.pop_back();
    if (state == State::kOpen) {
      for (const Pair& pair : pairs_) {
        for (const int i : {0, 1}) {
          int events = pair.pending[1 - i].size() < kMostPending ? POLLIN : 0;
          if (!pair.pending[i].empty()) events |= POLLOUT;
          fds.push_back({pair.ends[i], static_cast<short>(events), 0});
        }
      }
    }
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    char drained[64];
    while (fds[0].revents != 0 && read(wake_[0], drained, sizeof(drained)) > 0) {
    }
    if (state == State::kOpen) {
      size_t at = 2;
      for (auto it = pairs_.begin(); it != pairs_.end();) {
        bool alive = true;
        for (const int i : {0, 1}) {
          const int events = fds[at++].revents;
          if (alive && (events & POLLOUT) != 0) alive = Flush(*it, i);
          if (alive && (events & (POLLIN | POLLHUP | POLLERR)) != 0) alive = Pass(*it, i);
        }
        if (alive) {
          ++it;
          continue;
        }
        close(it->ends[0]);
        close(it->ends[1]);
        it = pairs_.erase(it);
      }
    }
    if (fds.size() > 1 && fds[1].revents != 0) Accept();
  }
}

}  // namespace gridsweep::testing

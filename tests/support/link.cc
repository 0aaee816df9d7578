#include "tests/support/link.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace gridsweep::testing {
namespace {

constexpr size_t kMostPending = 1 << 20;
// A slow link passes its bytes in steps of this length.
constexpr int kPeriodMs = 20;

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
    : path_(path), listener_(Socket()), targets_(std::move(targets)) {
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
  Wake();
  thread_.join();
  CloseAll();
  for (const int fd : {listener_, wake_[0], wake_[1]}) close(fd);
  unlink(path_.c_str());
}

void Link::Wake() { (void)!write(wake_[1], "", 1); }

void Link::Set(State state, int64_t rate) {
  {
    MutexLock lock(mutex_);
    state_ = state;
    rate_ = rate;
  }
  Wake();
}

void Link::Lead(std::vector<std::string> targets) {
  {
    MutexLock lock(mutex_);
    targets_ = std::move(targets);
    cut_ = true;
  }
  Wake();
}

int Link::Dial() {
  std::vector<std::string> targets;
  {
    MutexLock lock(mutex_);
    targets = targets_;
  }
  for (const std::string& target : targets) {
    const sockaddr_un address = AddressOf(target);
    const int fd = Socket();
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
    close(fd);
  }
  return -1;
}

void Link::Accept() {
  int client;
  {
    MutexLock lock(mutex_);
    if (cut_) return;  // who comes after the cut is not cut
    client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }
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

bool Link::Pass(Pair& pair, int from, size_t& most) {
  char bytes[1 << 16];
  const ssize_t got = read(pair.ends[from], bytes, std::min(sizeof(bytes), most));
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  most -= static_cast<size_t>(got);
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

void Link::PassSlowly(int64_t rate) {
  size_t left[2];  // to either side
  left[0] = left[1] = std::max<size_t>(1, static_cast<size_t>(rate * kPeriodMs / 1000));
  for (auto it = pairs_.begin(); it != pairs_.end();) {
    bool alive = true;
    for (const int i : {0, 1}) {
      if (alive && !it->pending[i].empty()) alive = Flush(*it, i);
      if (alive && left[i] > 0 && it->pending[1 - i].empty()) alive = Pass(*it, i, left[i]);
    }
    it = alive ? std::next(it) : Close(it);
  }
  if (!pairs_.empty()) pairs_.splice(pairs_.end(), pairs_, pairs_.begin());
}

std::list<Link::Pair>::iterator Link::Close(std::list<Pair>::iterator pair) {
  close(pair->ends[0]);
  close(pair->ends[1]);
  return pairs_.erase(pair);
}

void Link::Loop() {
  for (;;) {
    State state;
    int64_t rate;
    bool cut;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      state = state_;
      rate = rate_;
      cut = std::exchange(cut_, false);
    }
    if (cut || state == State::kCut) CloseAll();
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
    if (poll(fds.data(), fds.size(), state == State::kSlow ? kPeriodMs : -1) < 0) continue;
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
          size_t most = kMostPending;
          if (alive && (events & (POLLIN | POLLHUP | POLLERR)) != 0) alive = Pass(*it, i, most);
        }
        it = alive ? std::next(it) : Close(it);
      }
    }
    if (state == State::kSlow) PassSlowly(rate);
    if (fds.size() > 1 && fds[1].revents != 0) Accept();
  }
}

}  // namespace gridsweep::testing

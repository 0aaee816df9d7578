// gridsweep-hdf5-reader: reads HDF5 files from elsewhere for the program that started it
// (reader.h). It forks a process for each file, so that what a file does to the library ends with
// that file; with no thread beside it, and no file looked at by itself, it can.
#include <fcntl.h>
#include <hdf5.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hdf5/protocol.h"
#include "hdf5/sandbox.h"
#include "hdf5/session.h"

namespace gridsweep::hdf5 {
namespace {

constexpr size_t kMostSessions = 512;

struct Session {
  pid_t pid;
  int socket;  // its own end: tells when the other has closed, and carries the word of its death
  bool killed = false;
};

void OnChildEnd(int) {}

// Closes all descriptors from `first` on.
void CloseFrom(int first) { syscall(SYS_close_range, first, ~0U, 0); }

class Server {
 public:
  Server() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    struct sigaction action = {};
    action.sa_handler = OnChildEnd;
    sigaction(SIGCHLD, &action, nullptr);
  }

  int Run() {
    for (;;) {
      std::vector<pollfd> polled = {{kControlDescriptor, POLLIN, 0}};
      for (const Session& session : sessions_) {
        polled.push_back({session.killed ? -1 : session.socket, 0, 0});
      }
      sigset_t none;
      sigemptyset(&none);
      if (ppoll(polled.data(), polled.size(), nullptr, &none) < 0 && errno != EINTR) return 1;
      for (size_t i = 1; i < polled.size(); ++i) {
        if (polled[i].revents == 0) continue;
        sessions_[i - 1].killed = true;
        kill(sessions_[i - 1].pid, SIGKILL);
      }
      Reap();
      if (polled[0].revents != 0 && !Accept()) return 0;
    }
  }

 private:
  void Reap() {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      for (size_t i = 0; i < sessions_.size(); ++i) {
        if (sessions_[i].pid != pid) continue;
        if (WIFSIGNALED(status) && !sessions_[i].killed) Tell(sessions_[i].socket, status);
        close(sessions_[i].socket);
        sessions_.erase(sessions_.begin() + static_cast<ptrdiff_t>(i));
        break;
      }
    }
  }

  static void Tell(int socket, int status) {
    struct {
      FrameHeader header;
      int32_t signal;
    } frame = {{FrameKind::kDied, sizeof(int32_t)}, WTERMSIG(status)};
    send(socket, &frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // False once the program has gone.
  bool Accept() {
    char byte;
    iovec data = {&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(kControlDescriptor, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (got == 0 || header == nullptr || header->cmsg_len != CMSG_LEN(2 * sizeof(int))) {
      return false;
    }
    int descriptors[2];
    std::memcpy(descriptors, CMSG_DATA(header), sizeof descriptors);
    Fork(descriptors[0], descriptors[1]);
    close(descriptors[1]);
    return true;
  }

  void Fork(int socket, int file) {
    const pid_t pid = sessions_.size() < kMostSessions ? fork() : -1;
    if (pid == 0) {
      // Neither the control socket nor another file's session; they may stand where these go.
      const int kept = fcntl(file, F_DUPFD_CLOEXEC, 1000);
      dup2(socket, kControlDescriptor);
      dup2(kept, kControlDescriptor + 1);
      CloseFrom(kControlDescriptor + 2);
      _exit(kept < 0 ? 1 : ServeFile(kControlDescriptor, kControlDescriptor + 1));
    }
    if (pid < 0) {
      close(socket);
    } else {
      sessions_.push_back({pid, socket});
    }
  }

  std::vector<Session> sessions_;
};

}  // namespace
}  // namespace gridsweep::hdf5

int main() {
  using namespace gridsweep::hdf5;
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(kControlDescriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    std::fprintf(stderr,
                 "gridsweep-hdf5-reader reads files for Gridsweep's programs, which start it; it "
                 "is not for people\n");
    return 2;
  }
  CloseFrom(kControlDescriptor + 1);
  prctl(PR_SET_DUMPABLE, 0);
  // Before it can no longer load anything.
  H5dont_atexit();
  H5open();
  const Hello hello = {kProtocol, ForbidFiles()};
  if (send(kControlDescriptor, &hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello) return 1;
  return Server().Run();
}

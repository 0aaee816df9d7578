#include "analysis/figures/renderer.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kSaidBytes = 2'000;  // what is kept of its standard error

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status SystemError(const std::string& what, int error) {
  return absl::InternalError(StrCat("renderer: ", what, ": ", std::strerror(error)));
}

// A child in a process group of its own, and our ends of its standard streams.
class Child {
 public:
  static absl::StatusOr<Child> Start(const std::string& program, const char* format) {
    // A socket, for one can write to it without SIGPIPE when the child is gone.
    int in[2], out[2], err[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) {
      return SystemError("socketpair", errno);
    }
    Child child;
    child.in_ = Descriptor(in[0]);
    const Descriptor its_in(in[1]);
    if (pipe2(out, O_CLOEXEC) != 0) return SystemError("pipe", errno);
    child.out_ = Descriptor(out[0]);
    const Descriptor its_out(out[1]);
    if (pipe2(err, O_CLOEXEC) != 0) return SystemError("pipe", errno);
    child.err_ = Descriptor(err[0]);
    const Descriptor its_err(err[1]);
    for (const int fd : {child.in(), child.out(), child.err()}) {
      if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return SystemError("fcntl", errno);
    }

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, its_in.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, its_out.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, its_err.get(), STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Our own threads block the signals that end a program.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    char* const argv[] = {const_cast<char*>(program.c_str()), const_cast<char*>(format), nullptr};
    const int error = posix_spawn(&child.pid_, program.c_str(), &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return SystemError(StrCat("cannot run ", program), error);
    return child;
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        in_(std::move(other.in_)),
        out_(std::move(other.out_)),
        err_(std::move(other.err_)) {}
  ~Child() {
    if (pid_ != 0) Kill();
  }

  int in() const { return in_.get(); }
  int out() const { return out_.get(); }
  int err() const { return err_.get(); }
  void CloseIn() { in_.Close(); }
  void CloseOut() { out_.Close(); }
  void CloseErr() { err_.Close(); }

  // Whether it has ended; then its wait status is in `status`.
  bool Ended(int& status) {
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    pid_ = 0;
    return true;
  }
  // It and what it started.
  void Kill() {
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
  }

 private:
  Child() = default;
  pid_t pid_ = 0;
  Descriptor in_, out_, err_;
};

// Appends what can be read; false at the end of the stream.
bool ReadSome(int fd, std::string& into) {
  char buffer[65536];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  into.append(buffer, static_cast<size_t>(got));
  return got > 0;
}

std::string EndOf(const std::string& said) {
  const size_t from = said.size() > kSaidBytes ? said.size() - kSaidBytes : 0;
  return said.empty() ? "" : StrCat("; it said: ", said.substr(from));
}

bool IsWhole(const std::string& picture, Picture format) {
  const auto ends_with = [&](std::string_view end) {
    const size_t last = picture.find_last_not_of(" \n");
    return last != std::string::npos && last + 1 >= end.size() &&
           std::string_view(picture).substr(last + 1 - end.size(), end.size()) == end;
  };
  if (format == Picture::kSvg) return picture.rfind("<svg", 0) == 0 && ends_with("</svg>");
  return picture.rfind("\x89PNG", 0) == 0 && picture.size() >= 12 &&
         picture.compare(picture.size() - 8, 4, "IEND") == 0;
}

}  // namespace

absl::StatusOr<std::string> Renderer::Render(const std::string& document, Picture format) const {
  const std::string program = (options_.directory / "render").string();
  if (access(program.c_str(), X_OK) != 0) {
    return absl::FailedPreconditionError(
        StrCat("there is no renderer ", program, ": install it with `setup/renderer.sh ",
               options_.directory.string(),
               "`, or tell gridsweep-analysis with --renderer where it is; the Vega-Lite document "
               "needs none"));
  }
  const absl::Time deadline = absl::Now() + options_.deadline;
  ASSIGN_OR_RETURN(Child child, Child::Start(program, format == Picture::kSvg ? "svg" : "png"));
  std::string picture, said;
  size_t written = 0;
  int status = 0;
  for (bool ended = false; !ended;) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError(StrCat("the renderer did not end in ",
                                                absl::FormatDuration(options_.deadline),
                                                " and was stopped", EndOf(said)));
    }
    pollfd polled[] = {
        {child.in(), POLLOUT, 0}, {child.out(), POLLIN, 0}, {child.err(), POLLIN, 0}};
    // With its output closed, what is left to wait for is its end.
    const bool closed = child.out() < 0 && child.err() < 0;
    const auto wait = std::min(left, closed ? absl::Milliseconds(5) : absl::Seconds(1));
    poll(polled, 3, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1);
    if (child.in() >= 0 && polled[0].revents != 0) {
      const ssize_t sent =
          send(child.in(), document.data() + written, document.size() - written, MSG_NOSIGNAL);
      if (sent > 0) written += static_cast<size_t>(sent);
      // One that ends without having read all is judged by its status.
      if (written == document.size() || (sent < 0 && errno != EAGAIN && errno != EINTR)) {
        child.CloseIn();
      }
    }
    if (child.out() >= 0 && polled[1].revents != 0 && !ReadSome(child.out(), picture)) {
      child.CloseOut();
    }
    if (child.err() >= 0 && polled[2].revents != 0 && !ReadSome(child.err(), said)) {
      child.CloseErr();
    }
    if (picture.size() > options_.most_bytes) {
      return absl::ResourceExhaustedError(StrCat("the picture is larger than ", options_.most_bytes,
                                                 " bytes; narrow the selection"));
    }
    if (said.size() > 2 * kSaidBytes) said.erase(0, said.size() - kSaidBytes);
    ended = closed && child.Ended(status);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::InternalError(StrCat("the renderer ",
                                      WIFEXITED(status)
                                          ? StrCat("failed with status ", WEXITSTATUS(status))
                                          : StrCat("was killed by signal ", WTERMSIG(status)),
                                      EndOf(said)));
  }
  if (!IsWhole(picture, format)) {
    return absl::InternalError(StrCat("what the renderer printed is no whole ",
                                      format == Picture::kSvg ? "SVG" : "PNG", " (", picture.size(),
                                      " bytes)", EndOf(said)));
  }
  return picture;
}

}  // namespace gridsweep::analysis

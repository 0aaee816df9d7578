// What the process that reads a file can still do, tried by processes that gave up the same.
#include "hdf5/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace gridsweep::hdf5 {
namespace {

constexpr int kSucceeded = 42, kFailed = 43;
#ifdef GRIDSWEEP_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// The wait status of a process that runs `work`, which says whether it could.
int StatusOf(const std::function<bool()>& work) {
  const pid_t pid = fork();
  if (pid == 0) _exit(work() ? kSucceeded : kFailed);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

bool Succeeds(const std::function<bool()>& work) {
  const int status = StatusOf(work);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WEXITSTATUS(status) == kSucceeded;
}

bool Opens(const char* path, int flags) { return open(path, flags | O_CLOEXEC, 0600) >= 0; }

bool ConnectsTo(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// A listener on loopback, and its address.
sockaddr_in Listen() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(fd, 8), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return address;
}

TEST(ForbidFiles, LeavesNoFileNoProgramAndNoNetwork) {
  const sockaddr_in listener = Listen();
  const int version =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, 1));  // asks for it
  if (version < 1) GTEST_SKIP() << "this kernel has no Landlock";
  const testing::TemporaryDirectory directory;
  const std::string made = directory / "made";
  ASSERT_TRUE(Succeeds([&] { return ConnectsTo(listener); }));
  EXPECT_TRUE(Succeeds([&] { return ForbidFiles() == version; }));
  EXPECT_FALSE(Succeeds([] { return ForbidFiles() == 0 || Opens("/etc/passwd", O_RDONLY); }));
  EXPECT_FALSE(Succeeds([] { return ForbidFiles() == 0 || Opens("/proc/self/mem", O_RDWR); }));
  EXPECT_FALSE(Succeeds([] { return ForbidFiles() == 0 || Opens("/", O_RDONLY | O_DIRECTORY); }));
  EXPECT_FALSE(
      Succeeds([&] { return ForbidFiles() == 0 || Opens(made.c_str(), O_WRONLY | O_CREAT); }));
  EXPECT_FALSE(Succeeds([] {
    char* const argv[] = {const_cast<char*>("true"), nullptr};
    ForbidFiles();
    execv("/bin/true", argv);
    return false;
  }));
  if (version >= 4) {
    EXPECT_FALSE(Succeeds([&] { return ForbidFiles() == 0 || ConnectsTo(listener); }));
  }
}

struct Attempt {
  const char* name;
  std::function<bool()> work;
  bool fails = false;  // and does not end who tries
};

// `made`: a path where a file may be made.
std::vector<Attempt> Attempts(const std::string& made) {
  return {
      {"open", [] { return Opens("/etc/passwd", O_RDONLY); }, true},
      {"create", [&] { return Opens(made.c_str(), O_WRONLY | O_CREAT); }, true},
      {"open by another call",
       [] { return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0) >= 0; }},
      {"write", [] { return write(STDERR_FILENO, "x", 1) == 1; }},
      {"read", [] {
         char byte;
         return read(STDIN_FILENO, &byte, 1) >= 0;
       }},
      {"socket", [] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
      {"socketpair", [] {
         int ends[2];
         return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
       }},
      {"exec", [] {
         char* const argv[] = {const_cast<char*>("true"), nullptr};
         execv("/bin/true", argv);
         return true;
       }},
      {"fork", [] { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0; }},
      {"kill", [] { return kill(getppid(), 0) == 0; }},
      {"ptrace", [] { return syscall(SYS_ptrace, 0, 0, 0, 0) == 0; }},
      {"unlink", [&] { return unlink(made.c_str()) == 0; }},
      {"code in new memory", [] {
         return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                MAP_FAILED;
       }},
      {"code in old memory", [] {
         alignas(4096) static char page[4096];
         return mprotect(page, sizeof page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
       }},
      {"descriptors by message", [] {
         msghdr message = {};
         return recvmsg(0, &message, MSG_DONTWAIT) >= 0;
       }},
      {"sleep", [] { return usleep(1) == 0; }},
  };
}

TEST(ForbidAllButMemory, EndsWhoTriesAnythingElse) {
  const testing::TemporaryDirectory directory;
  const std::string made = directory / "made";
  for (const Attempt& attempt : Attempts(made)) {
    const int status = StatusOf([&] { return !ForbidAllButMemory() || attempt.work(); });
    if (attempt.fails || kSanitized) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kFailed)
          << attempt.name << ": wait status " << status;
    } else {
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
          << attempt.name << ": wait status " << status;
    }
  }
}

TEST(ForbidAllButMemory, LeavesMemoryAndTheSocket) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_TRUE(Succeeds([&] {
    if (!ForbidAllButMemory()) return false;
    std::vector<std::string> memory;
    for (int i = 0; i < 100; ++i) memory.emplace_back(1 << (i % 24), 'x');
    try {
      throw std::bad_alloc();
    } catch (const std::bad_alloc&) {
    }
    return send(ends[1], memory[3].data(), 8, MSG_NOSIGNAL) == 8;
  }));
  char bytes[8];
  EXPECT_EQ(recv(ends[0], bytes, sizeof bytes, 0), 8);
  close(ends[0]);
  close(ends[1]);
}

#ifndef GRIDSWEEP_SANITIZED
TEST(LimitMemoryAndTime, RefusesMemoryBeyondAndEndsWhoNeverEnds) {
  EXPECT_FALSE(Succeeds([] {
    return !LimitMemoryAndTime(0) || mmap(nullptr, size_t{2} << 30, PROT_READ,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  }));
  EXPECT_TRUE(Succeeds([] {
    return LimitMemoryAndTime(0) && mmap(nullptr, size_t{256} << 20, PROT_READ,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  }));
}
#endif

}  // namespace
}  // namespace gridsweep::hdf5

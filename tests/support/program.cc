#include "tests/support/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "tests/support/patience.h"
#include "tests/support/temporary_directory.h"

extern char** environ;

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

pid_t Spawn(std::vector<std::string> words, const fs::path& out, const fs::path& err) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kAppend, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kAppend, 0644);
  // As a shell would start it, whatever this process ignores.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environ), 0)
      << words[0];
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

}  // namespace

std::string ReadFile(const fs::path& path, size_t start) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(start));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool Within(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience * limit;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

std::string Timeout(std::chrono::seconds limit) {
  return std::to_string((kPatience * limit).count()) + "s";
}

Program::Program(const std::vector<std::string>& words, const fs::path& log)
    : pid_(Spawn(words, log, log)) {}

Program::~Program() { Kill(); }

bool Program::Ended(int options) {
  if (pid_ > 0 && waitpid(pid_, &status_, options) == pid_) pid_ = 0;
  return pid_ == 0;
}

bool Program::Running() { return !Ended(WNOHANG); }

bool Program::Kill() {
  if (!Running()) return false;
  kill(pid_, SIGKILL);
  return Ended(0) && WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL;
}

bool Program::HandlesSignals() const {
  const std::string status = ReadFile("/proc/" + std::to_string(pid_) + "/status");
  const size_t at = status.find("SigIgn:");
  if (at == std::string::npos) return false;
  return (std::stoull(status.substr(at + 7), nullptr, 16) >> (SIGPIPE - 1) & 1) != 0;
}

bool Program::Signal(int signal) { return Running() && kill(pid_, signal) == 0; }

int Program::Terminate() {
  Signal(SIGTERM);
  if (!Within([&] { return Ended(WNOHANG); })) return -1;
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

Ran Run(const std::vector<std::string>& words) {
  const TemporaryDirectory directory;
  const pid_t pid = Spawn(words, directory / "out", directory / "err");
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          ReadFile(directory / "out"), ReadFile(directory / "err")};
}

std::string Binary(const std::string& program) {
  return std::string(GRIDSWEEP_BINARY_DIR) + "/bin/" + program;
}

Ran RunSweepctl(const fs::path& home, const std::string& coordinator, const std::string& analysis,
                const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"/usr/bin/env",       "-i",        "HOME=" + home.string(),
                                    Binary("sweepctl"),   "--address", coordinator,
                                    "--analysis-address", analysis};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return Run(words);
}

}  // namespace gridsweep::testing

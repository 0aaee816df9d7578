#include "sweepctl/process.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <sstream>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

// Start time and state of `pid`; false when there is none.
bool ReadStat(int64_t pid, uint64_t& start_ticks, char& state) {
  std::ifstream in(StrCat("/proc/", pid, "/stat"));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  // The name, in brackets, may hold anything: fields are counted after it.
  const size_t close = text.rfind(')');
  if (close == std::string::npos) return false;
  std::istringstream fields(text.substr(close + 1));
  fields >> state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> start_ticks;
  return static_cast<bool>(fields);
}

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

absl::StatusOr<User> FindUser(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) return absl::NotFoundError(StrCat("there is no user ", name));
  User user{entry->pw_uid, entry->pw_gid, {}};
  int n = 64;
  user.groups.resize(n);
  if (getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &n) < 0) n = 1;
  user.groups.resize(n);
  return user;
}

}  // namespace

bool IsAlive(const ProcessId& process) {
  // Our own dead children stay zombies until they are waited for.
  if (process.pid > 0) waitpid(static_cast<pid_t>(process.pid), nullptr, WNOHANG);
  uint64_t start = 0;
  char state = 0;
  return process.pid > 0 && ReadStat(process.pid, start, state) && state != 'Z' && state != 'X' &&
         start == process.start_ticks;
}

std::string BootId() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

absl::StatusOr<ProcessId> Spawn(const SpawnOptions& options) {
  User user;
  if (!options.user.empty()) {
    ASSIGN_OR_RETURN(user, FindUser(options.user));
  }
  const int log = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    return absl::InternalError(
        StrCat("cannot write ", options.log.string(), ": ", std::strerror(errno)));
  }
  // Tells, by closing at exec, that all went well; or carries errno.
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    close(log);
    return absl::InternalError(StrCat("pipe: ", std::strerror(errno)));
  }
  std::vector<char*> argv;
  for (const auto& word : options.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const bool change_user = !options.user.empty();
  const pid_t pid = fork();
  if (pid == 0) {
    // Between fork and exec of a program with threads only plain system calls are safe.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) signal(number, SIG_DFL);
    if (options.daemon) setsid();
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    const bool ready = chdir(options.directory.c_str()) == 0 &&
                       (!change_user || (setgroups(user.groups.size(), user.groups.data()) == 0 &&
                                         setgid(user.gid) == 0 && setuid(user.uid) == 0));
    if (ready) execv(argv[0], argv.data());
    const int error = errno;
    (void)!write(report[1], &error, sizeof error);
    _exit(127);
  }
  close(log);
  close(report[1]);
  int error = pid < 0 ? errno : 0;
  if (pid > 0 && read(report[0], &error, sizeof error) != sizeof error) error = 0;
  close(report[0]);
  if (error != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    return absl::NotFoundError(
        StrCat("cannot start ", options.argv[0], ": ", std::strerror(error)));
  }
  ProcessId process{pid, 0};
  char state = 0;
  // A program that has ended already is a zombie with a start time still.
  ReadStat(pid, process.start_ticks, state);
  return process;
}

absl::Status RunToEnd(SpawnOptions options, const std::string& what) {
  // In our process group, so that Ctrl-C reaches it too.
  options.daemon = false;
  ASSIGN_OR_RETURN(const ProcessId process, Spawn(options));
  int status = 0;
  while (waitpid(static_cast<pid_t>(process.pid), &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(
      StrCat(what, " failed; the end of ", options.log.string(), ":\n", LogTail(options.log, 8)));
}

absl::Status Stop(const ProcessId& process, int signal, absl::Duration grace) {
  if (!IsAlive(process)) return absl::OkStatus();
  const auto pid = static_cast<pid_t>(process.pid);
  if (kill(pid, signal) != 0 && errno == EPERM) {
    return absl::PermissionDeniedError(StrCat("process ", process.pid, " belongs to another user"));
  }
  for (const bool last : {false, true}) {
    if (last) kill(pid, SIGKILL);
    const absl::Time deadline = absl::Now() + (last ? absl::Seconds(5) : grace);
    while (absl::Now() < deadline) {
      if (!IsAlive(process)) return absl::OkStatus();
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  return absl::InternalError(StrCat("process ", process.pid, " survives SIGKILL"));
}

std::string LogTail(const std::filesystem::path& log, int lines) {
  std::ifstream in(log);
  std::deque<std::string> last;
  for (std::string line; std::getline(in, line);) {
    last.push_back(line);
    if (last.size() > static_cast<size_t>(lines)) last.pop_front();
  }
  std::string text;
  for (const auto& line : last) text += "    " + line + "\n";
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace gridsweep::sweepctl

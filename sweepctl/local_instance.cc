#include "sweepctl/local_instance.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <ostream>
#include <thread>

#include "common/rpc.h"
#include "common/status.h"
#include "common/strings.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "sweepctl/health_check.h"
#include "sweepctl/postgres_cluster.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

constexpr char kWorkerName[] = "local";
constexpr int kLogLines = 10;

std::atomic<int> g_interrupted{0};

// While it lives, Ctrl-C and the like are noted and not obeyed, so that what
// was started can be stopped.
class InterruptGuard {
 public:
  InterruptGuard() {
    g_interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int number) { g_interrupted = number; };
    for (int i = 0; i < kCount; ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~InterruptGuard() {
    for (int i = 0; i < kCount; ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  static constexpr int kCount = 3;
  static constexpr int kSignals[kCount] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[kCount];
};

// Two commands must not bring one instance up and down at the same time.
class DataLock {
 public:
  static absl::StatusOr<std::unique_ptr<DataLock>> Take(const fs::path& data) {
    const int fd = open((data / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
      return absl::PermissionDeniedError(
          StrCat("cannot write in ", data.string(), ": ", std::strerror(errno)));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      close(fd);
      return absl::AbortedError(
          StrCat("another sweepctl is bringing ", data.string(), " up or down; wait for it"));
    }
    return std::unique_ptr<DataLock>(new DataLock(fd));
  }
  ~DataLock() { close(fd_); }

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  const int fd_;
};

absl::StatusOr<std::string> ProgramBeside(const std::string& name) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path program = self.parent_path() / name;
  if (error || access(program.c_str(), X_OK) != 0) {
    return absl::FailedPreconditionError(
        StrCat(program.string(), " is missing: build or install the whole of Gridsweep"));
  }
  return program.string();
}

class Starter {
 public:
  Starter(Console& console, LocalState& state, absl::Time deadline)
      : console_(console), state_(state), deadline_(deadline) {}

  bool IsUp(const std::string& name) {
    const LocalPiece* piece = state_.Find(name);
    return piece != nullptr && IsAlive(piece->process);
  }

  // Spawns, records, and waits for `ready`.
  absl::Status Start(const std::string& name, const SpawnOptions& options,
                     const std::function<bool()>& ready) {
    console_.err << "starting " << name << " ..." << std::flush;
    const absl::Time start = absl::Now();
    const auto process = Spawn(options);
    if (!process.ok()) {
      console_.err << "\n";
      return process.status();
    }
    if (LocalPiece* piece = state_.Find(name)) {
      *piece = {name, *process, options.log.string()};
    } else {
      state_.pieces.push_back({name, *process, options.log.string()});
    }
    started_.push_back(name);
    absl::Status status = WriteLocalState(state_);
    if (status.ok()) status = WaitFor(name, *process, options.log, ready);
    console_.err << (status.ok() ? StrCat(" ", absl::FormatDuration(absl::Trunc(
                                                   absl::Now() - start, absl::Milliseconds(10))))
                                 : std::string(" failed"))
                 << "\n";
    return status;
  }

  absl::Status WaitFor(const std::string& name, const ProcessId& process, const fs::path& log,
                       const std::function<bool()>& ready) {
    while (true) {
      if (g_interrupted != 0) return absl::CancelledError("interrupted");
      if (!IsAlive(process)) {
        return absl::InternalError(StrCat(name, " ended at once; the end of ", log.string(), ":\n",
                                          LogTail(log, kLogLines)));
      }
      if (ready()) return absl::OkStatus();
      if (absl::Now() > deadline_) {
        return absl::DeadlineExceededError(StrCat(name, " did not become healthy in time; the end ",
                                                  "of ", log.string(), ":\n",
                                                  LogTail(log, kLogLines)));
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
  }

  // What this call has started, newest first.
  std::vector<std::string> Started() const { return {started_.rbegin(), started_.rend()}; }

 private:
  Console& console_;
  LocalState& state_;
  const absl::Time deadline_;
  std::vector<std::string> started_;
};

// For what an older version has made, open to all users of this machine. Root's database is another
// user's, who must get to it: as root others may pass through `data`, and see nothing of it.
void CloseToOthers(const fs::path& data) {
  const bool root = geteuid() == 0;
  chmod(data.c_str(), root ? 0711 : 0700);
  for (const char* name : {"logs", "artifacts", "spool"}) {
    const fs::path directory = data / name;
    struct stat info {};
    if (lstat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      chmod(directory.c_str(), 0700);
    }
  }
}

absl::Status StopPiece(LocalState& state, const std::string& name) {
  LocalPiece* piece = state.Find(name);
  if (piece == nullptr) return absl::OkStatus();
  // PostgreSQL waits for its clients on SIGTERM, and ends their sessions on SIGINT.
  const bool postgres = name == "postgres";
  RETURN_IF_ERROR(Stop(piece->process, postgres ? SIGINT : SIGTERM, absl::Seconds(20)));
  std::erase_if(state.pieces, [&](const LocalPiece& p) { return p.name == name; });
  return absl::OkStatus();
}

bool WorkerRegistered(const std::shared_ptr<grpc::Channel>& channel, absl::Time since) {
  const auto stub = v1::AdminService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(2)));
  v1::ListWorkersResponse response;
  if (!stub->ListWorkers(&context, {}, &response).ok()) return false;
  for (const auto& worker : response.workers()) {
    const absl::Time seen = absl::FromUnixSeconds(worker.seen_at().seconds()) +
                            absl::Nanoseconds(worker.seen_at().nanos());
    if (worker.name() == kWorkerName && worker.live() && seen >= since) return true;
  }
  return false;
}

absl::Status StartAll(Console& console, const UpOptions& options, LocalState& state,
                      Starter& starter) {
  const fs::path logs = options.data / "logs";
  const fs::path run = SocketDirectory(options.data / "run");
  RETURN_IF_ERROR(MakePrivateDirectory(run, ""));
  ASSIGN_OR_RETURN(const std::string coordinator, ProgramBeside("gridsweep-coordinator"));
  ASSIGN_OR_RETURN(const std::string analysis, ProgramBeside("gridsweep-analysis"));
  ASSIGN_OR_RETURN(const std::string worker, ProgramBeside("gridsweep-worker"));
  ASSIGN_OR_RETURN(const PostgresCluster postgres, PostgresCluster::Prepare(options.data, logs));
  state.database = postgres.ConnectionString();
  state.address = StrCat("unix:", (run / "coordinator.sock").string());
  state.analysis_address = StrCat("unix:", (run / "analysis.sock").string());

  if (!starter.IsUp("postgres")) {
    if (!postgres.Exists()) {
      console.err << "creating a database in " << postgres.home().string() << "\n";
      RETURN_IF_ERROR(postgres.Create());
      // Where the interrupt came too early, or too late, to end initdb.
      if (g_interrupted != 0) return absl::CancelledError("interrupted");
    }
    SpawnOptions server = postgres.ServerProgram();
    RETURN_IF_ERROR(starter.Start("postgres", server, [&] { return postgres.Answers(); }));
  }
  RETURN_IF_ERROR(postgres.EnsureDatabase());

  const std::string artifacts = (options.data / "artifacts").string();
  const auto service = [&](const std::string& name, const std::string& program,
                           const std::string& address) {
    if (starter.IsUp(name)) return absl::OkStatus();
    SpawnOptions spawn;
    spawn.argv = {program,        "--listen",    address,  "--database",
                  state.database, "--artifacts", artifacts};
    spawn.log = logs / (name + ".log");
    std::error_code ignored;
    fs::remove(address.substr(std::strlen("unix:")), ignored);
    const auto channel = Dial(address);
    return starter.Start(name, spawn, [&] { return CheckHealth(channel, absl::Seconds(1)).ok(); });
  };
  RETURN_IF_ERROR(service("coordinator", coordinator, state.address));
  RETURN_IF_ERROR(service("analysis", analysis, state.analysis_address));

  if (!starter.IsUp("worker")) {
    SpawnOptions spawn;
    spawn.argv = {worker,
                  "--coordinator",
                  state.address,
                  "--slots",
                  std::to_string(state.slots),
                  "--name",
                  kWorkerName,
                  "--spool",
                  options.data / "spool"};
    spawn.log = logs / "worker.log";
    spawn.directory = options.data;
    const absl::Time since = absl::Now() - absl::Milliseconds(10);
    const auto channel = Dial(state.address);
    RETURN_IF_ERROR(
        starter.Start("worker", spawn, [&] { return WorkerRegistered(channel, since); }));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LocalState> BringUp(Console& console, const UpOptions& options) {
  umask(0077);  // also of what is started here
  std::error_code error;
  const bool is_new = !fs::exists(options.data, error);
  fs::create_directories(options.data / "logs", error);
  if (error) {
    return absl::PermissionDeniedError(
        StrCat("cannot make ", options.data.string(), ": ", error.message()));
  }
  CloseToOthers(options.data);
  ASSIGN_OR_RETURN(const auto lock, DataLock::Take(options.data));
  ASSIGN_OR_RETURN(auto found, ReadLocalState(options.data));
  LocalState state;
  if (found && found->IsOfThisBoot()) {
    state = *found;
    for (const auto& piece : state.pieces) {
      if (IsAlive(piece.process)) continue;
      console.err << piece.name << " (pid " << piece.process.pid << ") had died; the end of "
                  << piece.log << ":\n"
                  << LogTail(piece.log, kLogLines) << "\n";
    }
  }
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  Starter starter(console, state, absl::Now() + options.deadline);
  if (options.slots > 0 && starter.IsUp("worker") && options.slots != state.slots) {
    return absl::FailedPreconditionError(StrCat("it is up with ", state.slots,
                                                " slots; `sweepctl local down` first, to have ",
                                                options.slots));
  }
  if (!starter.IsUp("worker")) state.slots = options.slots > 0 ? options.slots : cores;
  state.data = options.data.string();
  state.boot_id = BootId();
  state.complete = false;

  InterruptGuard guard;
  absl::Status status = StartAll(console, options, state, starter);
  // A program that shared the interrupt has failed by it, and is not what went wrong.
  if (g_interrupted != 0) status = absl::CancelledError("interrupted");
  if (status.ok()) {
    state.complete = true;
    status = WriteLocalState(state);
  }
  if (!status.ok()) {
    for (const auto& name : starter.Started()) {
      console.err << "stopping " << name << "\n";
      status.Update(StopPiece(state, name));
    }
    if (state.pieces.empty()) {
      RemoveLocalState(options.data);
    } else {
      status.Update(WriteLocalState(state));
    }
    // An interrupted first `up` leaves nothing, unless the database has been started.
    if (is_new && absl::IsCancelled(status) && starter.Started().empty()) {
      PostgresCluster::Remove(options.data);
      std::error_code ignored;
      fs::remove(SocketDirectory(options.data / "run"), ignored);
      fs::remove_all(options.data, ignored);
    }
    return status;
  }
  RememberDataDirectory(options.data);
  return state;
}

absl::Status BringDown(Console& console, const fs::path& data) {
  if (!fs::exists(StateFile(data))) {
    return absl::NotFoundError(StrCat("nothing is up in ", data.string()));
  }
  ASSIGN_OR_RETURN(const auto lock, DataLock::Take(data));
  ASSIGN_OR_RETURN(auto found, ReadLocalState(data));
  if (!found || !found->IsOfThisBoot()) {
    RemoveLocalState(data);
    return absl::NotFoundError(StrCat("nothing is up in ", data.string()));
  }
  LocalState state = *found;
  // Half a `down` is worse than a slow one.
  InterruptGuard guard;
  absl::Status status;
  for (const char* name : {"worker", "analysis", "coordinator", "postgres"}) {
    const LocalPiece* piece = state.Find(name);
    if (piece == nullptr) continue;
    if (!IsAlive(piece->process)) {
      console.err << name << " had died; the end of " << piece->log << ":\n"
                  << LogTail(piece->log, kLogLines) << "\n";
    } else {
      console.err << "stopping " << name << " ..." << std::flush;
    }
    const bool alive = IsAlive(piece->process);
    const absl::Status stopped = StopPiece(state, name);
    if (alive) console.err << (stopped.ok() ? " done\n" : " failed\n");
    status.Update(stopped);
  }
  if (!status.ok()) {
    status.Update(WriteLocalState(state));
    return status;
  }
  std::error_code ignored;
  for (const auto& address : {state.address, state.analysis_address}) {
    if (address.size() > 5) fs::remove(address.substr(std::strlen("unix:")), ignored);
  }
  RemoveLocalState(data);
  return absl::OkStatus();
}

}  // namespace gridsweep::sweepctl

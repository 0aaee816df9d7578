#include "sweepctl/postgres_cluster.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/config.h"
#include "sweepctl/file_output.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

constexpr char kInstall[] =
    "PostgreSQL is not installed. As root:\n"
    "  mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >> "
    "/etc/postgresql-common/createcluster.conf && apt-get install -y postgresql";

// Said everywhere, so that a PGPORT in the environment changes nothing.
constexpr char kPort[] = "5432";

// sun_path holds 108 bytes with its end; PostgreSQL's socket has the longest name.
constexpr size_t kLongestDirectory = 107 - sizeof "/.s.PGSQL.5432.lock";

absl::StatusOr<fs::path> FindPrograms() {
  for (const char* version : {"15", "16", "17", "18", "14"}) {
    const fs::path directory = fs::path("/usr/lib/postgresql") / version / "bin";
    std::error_code ignored;
    if (fs::exists(directory / "initdb", ignored) && fs::exists(directory / "postgres", ignored)) {
      return directory;
    }
  }
  return absl::FailedPreconditionError(kInstall);
}

// Whether any user may pass through `directory` and all above it.
bool AllMayEnter(fs::path directory) {
  for (;; directory = directory.parent_path()) {
    struct stat info {};
    if (stat(directory.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
    if (directory == directory.root_path()) return true;
  }
}

std::string FirstLine(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

absl::Status MakePrivateDirectory(const fs::path& directory, const std::string& user) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  if (!user.empty()) {
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) return absl::FailedPreconditionError(kInstall);
    uid = entry->pw_uid;
    gid = entry->pw_gid;
  }
  const auto failed = [&](const char* what) {
    return absl::PermissionDeniedError(
        StrCat("cannot ", what, " ", directory.string(), ": ", std::strerror(errno)));
  };
  if (mkdir(directory.c_str(), 0700) == 0) {
    if (!user.empty() && chown(directory.c_str(), uid, gid) != 0) return failed("chown");
    return absl::OkStatus();
  }
  if (errno != EEXIST) return failed("make");
  // It may be in /tmp, made by somebody else: not a link, ours, closed to others.
  struct stat info {};
  if (lstat(directory.c_str(), &info) != 0) return failed("look at");
  if (!S_ISDIR(info.st_mode) || info.st_uid != uid) {
    return absl::PermissionDeniedError(
        StrCat(directory.string(), " is there already and belongs to another user"));
  }
  if (chmod(directory.c_str(), 0700) != 0) return failed("close to others");
  return absl::OkStatus();
}

fs::path SocketDirectory(const fs::path& preferred) {
  if (preferred.string().size() <= kLongestDirectory) return preferred;
  const std::string name =
      StrCat("gridsweep-", ToHex(Sha256::Of(preferred.string())).substr(0, 12));
  if (const auto runtime = Environment("XDG_RUNTIME_DIR")) {
    const fs::path directory = fs::path(*runtime) / name;
    std::error_code ignored;
    // Root's is closed to the database's user.
    if (geteuid() != 0 && fs::is_directory(*runtime, ignored) &&
        directory.string().size() <= kLongestDirectory) {
      return directory;
    }
  }
  return fs::path("/tmp") / name;
}

absl::StatusOr<PostgresCluster> PostgresCluster::Prepare(const fs::path& data,
                                                         const fs::path& logs) {
  PostgresCluster cluster;
  ASSIGN_OR_RETURN(cluster.programs_, FindPrograms());
  cluster.logs_ = logs;
  cluster.home_ = data / "postgres";
  if (geteuid() == 0) {
    cluster.user_ = "postgres";
    const fs::path pointer = data / "postgres.location";
    if (const std::string place = FirstLine(pointer); !place.empty()) {
      cluster.home_ = place;
    } else if (!AllMayEnter(data)) {
      const fs::path base = "/var/lib/gridsweep";
      std::error_code error;
      fs::create_directories(base, error);
      // The database's user passes through it, whatever the umask.
      if (!error) fs::permissions(base, fs::perms(0755), error);
      if (error) {
        return absl::PermissionDeniedError(
            StrCat("cannot make ", base.string(), ": ", error.message()));
      }
      // A random name: a new DATA of an old name must not find an old database.
      cluster.home_ = base / StrCat("local-", ToHex(RandomBytes(6)));
      RETURN_IF_ERROR(WriteFileWhole(pointer.string(), cluster.home_.string() + "\n"));
    }
  }
  RETURN_IF_ERROR(MakePrivateDirectory(cluster.home_, cluster.user_));
  cluster.sockets_ = SocketDirectory(cluster.home_ / "run");
  RETURN_IF_ERROR(MakePrivateDirectory(cluster.sockets_, cluster.user_));
  return cluster;
}

SpawnOptions PostgresCluster::Program(const std::string& name,
                                      std::vector<std::string> arguments) const {
  SpawnOptions options;
  options.argv = {(programs_ / name).string()};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.log = logs_ / "postgres-setup.log";
  options.user = user_;
  return options;
}

void PostgresCluster::Remove(const fs::path& data) {
  const std::string elsewhere = FirstLine(data / "postgres.location");
  const fs::path home = elsewhere.empty() ? data / "postgres" : fs::path(elsewhere);
  std::error_code ignored;
  fs::remove(SocketDirectory(home / "run"), ignored);  // it is empty, or not ours to remove
  fs::remove_all(home, ignored);
}

bool PostgresCluster::Exists() const {
  std::error_code ignored;
  return fs::exists(home_ / "data" / "PG_VERSION", ignored);
}

absl::Status PostgresCluster::Create() const {
  const fs::path whole = home_ / "data", part = home_ / "data.unfinished";
  std::error_code error;
  if (fs::exists(whole, error) && !fs::is_empty(whole, error)) {
    return absl::FailedPreconditionError(
        StrCat(whole.string(), " holds something, but no PostgreSQL cluster: move it away"));
  }
  // What an interrupted initdb has left would make the next one refuse.
  fs::remove_all(part, error);
  // trust: the socket's directory is closed to all but the owner.
  RETURN_IF_ERROR(RunToEnd(Program("initdb", {"-D", part.string(), "-U", "gridsweep", "-A", "trust",
                                              "-E", "UTF8", "--locale=C"}),
                           "initdb"));
  fs::rename(part, whole, error);
  if (error) {
    return absl::InternalError(StrCat("cannot make ", whole.string(), ": ", error.message()));
  }
  return absl::OkStatus();
}

SpawnOptions PostgresCluster::ServerProgram() const {
  SpawnOptions options = Program(
      "postgres", {"-D", (home_ / "data").string(), "-k", sockets_.string(), "-p", kPort, "-c",
                   "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=128MB",
                   "-c", "unix_socket_permissions=0700", "-c", "log_min_messages=warning"});
  options.log = log();
  return options;
}

bool PostgresCluster::Answers() const {
  return RunToEnd(
             Program("pg_isready", {"-q", "-h", sockets_.string(), "-p", kPort, "-U", "gridsweep"}),
             "pg_isready")
      .ok();
}

absl::Status PostgresCluster::EnsureDatabase() const {
  const auto database_answers = [&] {
    return RunToEnd(Program("psql", {"-q", "-h", sockets_.string(), "-p", kPort, "-U", "gridsweep",
                                     "-d", "gridsweep", "-c", "\\q"}),
                    "psql")
        .ok();
  };
  if (database_answers()) return absl::OkStatus();
  return RunToEnd(
      Program("createdb", {"-h", sockets_.string(), "-p", kPort, "-U", "gridsweep", "gridsweep"}),
      "createdb");
}

std::string PostgresCluster::ConnectionString() const {
  std::string host;
  for (char c : sockets_.string()) {
    if (c == '\'' || c == '\\') host += '\\';
    host += c;
  }
  return StrCat("host='", host, "' port=", kPort, " user=gridsweep dbname=gridsweep");
}

}  // namespace gridsweep::sweepctl

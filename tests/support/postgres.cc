#include "tests/support/postgres.h"

#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

// The server refuses to run as root: then everything is done as `postgres`.
class Cluster {
 public:
  Cluster() {
    char name[] = "/tmp/gridsweep-pg-XXXXXX";
    if (mkdtemp(name) == nullptr) Die("mkdtemp");
    root_ = name;
    if (geteuid() == 0) {
      const passwd* user = getpwnam("postgres");
      if (user == nullptr) Die("there is no user postgres: install the postgresql package");
      if (chown(name, user->pw_uid, user->pw_gid) != 0) Die("chown");
    }
    Run(Bin("initdb") + " -D " + root_ +
        "/data -U gridsweep -A trust --no-sync -E UTF8 --locale=C >" + root_ + "/initdb.log 2>&1");
    Start();
  }
  ~Cluster() {
    (void)TryRun(Bin("pg_ctl") + " -D " + root_ + "/data -m immediate stop >/dev/null 2>&1");
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void Start() { Run(StartCommand()); }

  void Stop() { Run(Bin("pg_ctl") + " -D " + root_ + "/data -w -m fast stop >/dev/null"); }

  void Crash() {
    Run("kill -9 $(head -1 " + root_ + "/data/postmaster.pid) $(ps -o pid= --ppid $(head -1 " +
        root_ + "/data/postmaster.pid))");
    // It does not start before the last of the old one's processes is gone.
    Run("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; " + StartCommand() +
        " 2>&1 && exit 0; done; exit 1");
  }

  std::string Create() {
    const std::string name = "t" + std::to_string(next_++);
    Run(Bin("psql") + " -q -h " + root_ + " -U gridsweep -d postgres -c 'create database " + name +
        "'");
    return "host=" + root_ + " user=gridsweep dbname=" + name;
  }

 private:
  [[noreturn]] static void Die(const std::string& what) {
    std::fprintf(stderr, "test PostgreSQL: %s\n", what.c_str());
    std::abort();
  }
  static std::string Bin(const std::string& program) {
    for (const char* version : {"15", "16", "17", "18", "14"}) {
      const std::string path = std::string("/usr/lib/postgresql/") + version + "/bin/" + program;
      if (fs::exists(path)) return path;
    }
    Die(program + " not found: install the postgresql package");
  }
  std::string StartCommand() const {
    return Bin("pg_ctl") + " -D " + root_ + "/data -w -l " + root_ + "/log -o \"-k " + root_ +
           " -c listen_addresses='' -c fsync=off -c max_connections=200\" start >/dev/null";
  }
  static int TryRun(const std::string& command) {
    if (geteuid() != 0) return std::system(command.c_str());
    const std::string script = "cd / && " + command;
    std::string quoted;
    for (char c : script) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return std::system(
        ("setpriv --reuid=postgres --regid=postgres --init-groups sh -c '" + quoted + "'").c_str());
  }
  static void Run(const std::string& command) {
    if (TryRun(command) != 0) Die("failed: " + command);
  }

  std::string root_;
  std::atomic<int> next_{0};
};

Cluster& TheCluster() {
  static Cluster cluster;
  return cluster;
}

}  // namespace

std::string CreateDatabase() { return TheCluster().Create(); }
void CrashAndRestartPostgres() { TheCluster().Crash(); }
void StopPostgres() { TheCluster().Stop(); }
void StartPostgres() { TheCluster().Start(); }

}  // namespace gridsweep::testing

#include "tests/support/postgres_server.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/support/program.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

// How often a server is started again whose predecessor's processes, or whose
// place in the disk, are not gone yet.
constexpr int kStarts = 20;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "test PostgreSQL: %s\n", what.c_str());
  std::abort();
}

std::string Bin(const std::string& program) {
  for (const char* version : {"15", "16", "17", "18", "14"}) {
    const std::string path = std::string("/usr/lib/postgresql/") + version + "/bin/" + program;
    if (fs::exists(path)) return path;
  }
  Die(program + " not found: install the postgresql package");
}

// Runs a line of the shell as the user that the server runs as.
std::vector<std::string> AsServer(const std::string& command) {
  std::vector<std::string> words = {"/bin/sh", "-c", "cd / && " + command};
  if (geteuid() == 0) {
    words.insert(words.begin(),
                 {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"});
  }
  return words;
}

bool TryDo(const std::string& command) { return Run(AsServer(command)).code == 0; }

void Do(const std::string& command) {
  const Ran ran = Run(AsServer(command));
  if (ran.code != 0) Die("failed: " + command + "\n" + ran.out + ran.err);
}

}  // namespace

void PostgresServer::MakeRoot(const fs::path& where) {
  std::string name = where / "pg-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) Die("cannot make " + name);
  root_ = name;
  if (geteuid() != 0) return;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr) Die("there is no user postgres: install the postgresql package");
  if (chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) Die("chown");
  if (!TryDo("cd " + root_)) Die("the user postgres may not enter " + root_ + ": set TMPDIR");
}

PostgresServer::PostgresServer(std::vector<std::string> settings, const fs::path& where)
    : settings_(std::move(settings)) {
  MakeRoot(where);
  Do(Bin("initdb") + " -D " + root_ + "/data -U gridsweep -A trust --no-sync -E UTF8 --locale=C >" +
     root_ + "/initdb.log 2>&1");
}

PostgresServer::PostgresServer(const PostgresServer& primary, const std::string& name) {
  MakeRoot(fs::temp_directory_path());
  Do(Bin("pg_basebackup") + " -h " + primary.host() + " -U gridsweep -D " + root_ +
     "/data -X stream -c fast --no-sync");
  Do("touch " + root_ + "/data/standby.signal");
  settings_ = {"\"primary_conninfo=host=" + primary.host() +
               " user=gridsweep application_name=" + name + "\""};
}

PostgresServer::~PostgresServer() {
  (void)TryDo(Bin("pg_ctl") + " -D " + root_ + "/data -m immediate stop >/dev/null 2>&1");
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string PostgresServer::StartCommand() const {
  std::string options = "-k " + root_ + " -c listen_addresses= -c fsync=off";
  options += " -c max_connections=200";
  for (const std::string& setting : settings_) options += " -c " + setting;
  return Bin("pg_ctl") + " -D " + root_ + "/data -w -l " + root_ + "/log -o '" + options +
         "' start >/dev/null 2>&1";
}

bool PostgresServer::TryStart() { return TryDo(StartCommand()); }

void PostgresServer::Start() {
  const auto started = [&] { return TryStart(); };
  for (int i = 0; i < kStarts; ++i) {
    if (Within(started, std::chrono::milliseconds(300))) return;
  }
  Die("it does not start: " + ReadFile(root_ + "/log"));
}

void PostgresServer::Stop(Mode mode) {
  Do(Bin("pg_ctl") + " -D " + root_ + "/data -w -m " +
     (mode == Mode::kFast ? "fast" : "immediate") + " stop >/dev/null");
}

void PostgresServer::Crash() {
  // Stopped first, so that no child comes after the list; children that end meanwhile are no fault.
  Do("p=$(head -1 " + root_ + "/data/postmaster.pid); kill -STOP $p; c=$(ps -o pid= --ppid $p); " +
     "kill -9 $p && { kill -9 $c 2>/dev/null || true; }");
}

void PostgresServer::Promote() {
  Do(Bin("pg_ctl") + " -D " + root_ + "/data -w promote >/dev/null");
}

bool PostgresServer::Running() const {
  return TryDo(Bin("pg_ctl") + " -D " + root_ + "/data status >/dev/null");
}

std::string PostgresServer::CreateDatabase() {
  const std::string name = "t" + std::to_string(next_++);
  Do(Bin("psql") + " -q -h " + root_ + " -U gridsweep -d postgres -c 'create database " + name +
     "'");
  return name;
}

std::string PostgresServer::Ask(const std::string& sql, const std::string& database) const {
  const Ran ran = Run({Bin("psql"), "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", root_, "-U",
                       "gridsweep", "-d", database, "-c", sql});
  if (ran.code != 0) return "";
  return ran.out.substr(0, ran.out.find_last_not_of('\n') + 1);
}

std::string PostgresServer::ConnectionOf(const std::string& database) const {
  return "host=" + root_ + " user=gridsweep dbname=" + database;
}

}  // namespace gridsweep::testing

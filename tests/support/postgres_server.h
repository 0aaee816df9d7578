// A PostgreSQL cluster of a test's own, on a unix socket, with what can befall one.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

namespace gridsweep::testing {

// All but the constructors abort with a message when PostgreSQL's own programs
// do not do what they should. As root everything is done as the user `postgres`.
class PostgresServer {
 public:
  // An empty cluster in a new directory under `where`; not started. `settings`:
  // "name=value" of its configuration, beyond 200 connections and no fsync.
  explicit PostgresServer(
      std::vector<std::string> settings = {},
      const std::filesystem::path& where = std::filesystem::temp_directory_path());
  // A streaming standby of `primary`, which must run; called `name` in its
  // synchronous_standby_names. Not started.
  PostgresServer(const PostgresServer& primary, const std::string& name);
  // Stops it at once and removes it.
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;

  // Returns when it takes connections.
  void Start();
  // False when it cannot: its disk is full.
  bool TryStart();
  enum class Mode { kFast, kImmediate };
  void Stop(Mode mode);
  // SIGKILL to all of its processes.
  void Crash();
  // A standby: becomes a primary.
  void Promote();
  bool Running() const;

  // A fresh, empty database; its name.
  std::string CreateDatabase();
  // What psql prints, rows and columns bare, for `sql` in `database`; "" when it fails.
  std::string Ask(const std::string& sql, const std::string& database = "postgres") const;
  // libpq's connection string.
  std::string ConnectionOf(const std::string& database) const;
  // The directory of its socket.
  const std::string& host() const { return root_; }
  std::filesystem::path data() const { return std::filesystem::path(root_) / "data"; }

 private:
  void MakeRoot(const std::filesystem::path& where);
  std::string StartCommand() const;

  std::string root_;
  std::vector<std::string> settings_;
  std::atomic<int> next_{0};
};

}  // namespace gridsweep::testing

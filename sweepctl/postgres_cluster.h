// A private PostgreSQL in a data directory: unix socket only, durable.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <string>

#include "sweepctl/process.h"

namespace gridsweep::sweepctl {

class PostgresCluster {
 public:
  // Finds PostgreSQL's programs and the place for the cluster. PostgreSQL
  // refuses to run as root: then it runs as user postgres, in DATA/postgres
  // where that user can get there, else in a directory under /var/lib/gridsweep
  // that DATA/postgres.location names.
  // FAILED_PRECONDITION, with the line that installs it, without PostgreSQL.
  static absl::StatusOr<PostgresCluster> Prepare(const std::filesystem::path& data,
                                                 const std::filesystem::path& logs);

  // Removes what Prepare and Create have made for `data`, of which no server has been started yet.
  static void Remove(const std::filesystem::path& data);

  bool Exists() const;
  // initdb. FAILED_PRECONDITION where something else is in its place, which is left alone.
  absl::Status Create() const;
  // How the server is started; Answers() tells when it is ready.
  SpawnOptions ServerProgram() const;
  // True once it takes connections.
  bool Answers() const;
  // Creates database gridsweep unless it is there.
  absl::Status EnsureDatabase() const;

  // libpq connection string.
  std::string ConnectionString() const;
  const std::filesystem::path& home() const { return home_; }
  std::filesystem::path log() const { return logs_ / "postgres.log"; }

 private:
  PostgresCluster() = default;
  SpawnOptions Program(const std::string& name, std::vector<std::string> arguments) const;

  std::filesystem::path programs_, home_, sockets_, logs_;
  std::string user_;  // to run as; empty = as we are
};

// A directory that only `user` (empty = us) can enter, made when absent.
// PERMISSION_DENIED when it belongs to another.
absl::Status MakePrivateDirectory(const std::filesystem::path& directory, const std::string& user);

// DIRECTORY for unix sockets whose paths fit in 107 bytes: DATA/run, or else
// one named after DATA under $XDG_RUNTIME_DIR or /tmp.
std::filesystem::path SocketDirectory(const std::filesystem::path& preferred);

}  // namespace gridsweep::sweepctl

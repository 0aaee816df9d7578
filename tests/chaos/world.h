// A Gridsweep of real processes to which things happen: a PostgreSQL of its own,
// coordinators on one database and one artifact directory, analysis, and workers
// spread over the coordinators by links that can be cut. All ask for tokens. As root,
// coordinators and analysis run as the user postgres, and the artifact directory is a
// mount that nobody else sees.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tests/chaos/artifact_disk.h"
#include "tests/chaos/schedule.h"
#include "tests/chaos/tokens.h"
#include "tests/support/link.h"
#include "tests/support/postgres_server.h"
#include "tests/support/program.h"

namespace gridsweep::testing {

struct Shape {
  int coordinators = 2, workers = 4, slots = 2;
  std::chrono::milliseconds lease_ttl{2000};
};

class World {
 public:
  // Starts it and waits until it answers. Everything that it writes, the
  // programs' logs and events.log, is in `directory`.
  World(const std::filesystem::path& directory, const Shape& shape);
  // Ends all of it at once.
  ~World();

  // Does `fault` now; its end comes with Tick. False where the part has a fault
  // already, which the next Tick mends, or has not begun to run: then try again.
  bool Break(const Fault& fault);
  // Mends what is due, and starts again who gave up for good reason at its start: a coordinator
  // that found no database or no artifact directory, a worker that was refused. To be called often.
  void Tick();
  // Mends everything, and waits until all programs run and the coordinators answer.
  void Heal();
  // SIGTERM to all; each must end with 0.
  void Stop();

  // What a program did that it must not, whatever is done to it.
  const std::vector<std::string>& complaints() const { return complaints_; }
  void Complain(const std::string& what);
  // A line of events.log, with the time since the start.
  void Note(const std::string& what);

  // As an admin.
  Ran Sweepctl(std::vector<std::string> arguments) const;
  // What psql prints; "" when the database does not answer.
  std::string Sql(const std::string& sql) const { return postgres_.Ask(sql, database_); }
  // Where the artifacts are, whatever is done to the directory that the programs know.
  std::filesystem::path artifacts() const {
    return disk_.mounted() ? disk_.contents() : directory_ / "artifacts";
  }
  // What can be broken here.
  Targets targets() const {
    return {shape_.workers, shape_.coordinators, shape_.lease_ttl, disk_.mounted()};
  }
  // What workers have not handed in, or have set aside.
  std::vector<std::string> Spooled() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Mend {
    Clock::time_point due;
    std::function<bool()> act;  // false: not yet, try again
  };
  struct Part {
    std::vector<std::string> words;
    std::unique_ptr<Program> program;
    bool down = false;  // by a fault; else it must run
  };

  std::string Path(const std::string& name) const { return directory_ / name; }
  std::string Socket(const std::string& name) const { return Path("run/" + name + ".sock"); }
  // How a server is started: `program` as the user that it runs as.
  std::vector<std::string> Server(const std::string& program) const;
  void MakePlaces();
  void MakeAdmin();
  Part MakeWorker(int i) const;
  Part MakeCoordinator(int i) const;
  void Start(const std::string& name);
  void BreakProgram(const std::string& name, FaultKind kind, Mend& mend);
  void BreakDatabase(const Fault& fault, Mend& mend);
  void BreakLink(const Fault& fault, Mend& mend);
  // False where it cannot be done yet.
  bool BreakToken(const Fault& fault, Mend& mend);
  bool BreakArtifacts(const Fault& fault, Mend& mend);
  // False while it has not ended yet.
  bool Restart(const std::string& name, Clock::time_point since);
  void SetClock(int worker, int64_t seconds) const;
  void Exhaust();
  void TerminateBackends(int sessions);
  bool Answers(int coordinator) const;
  // Why `name` may have ended by itself with `code`; "" when it must not.
  std::string Excuse(const std::string& name, int code) const;
  // The sockets of coordinators, a worker's own first.
  std::vector<std::string> CoordinatorsOf(int worker) const;

  const std::filesystem::path directory_;
  const Shape shape_;
  const Clock::time_point start_ = Clock::now();
  ArtifactDisk disk_;
  PostgresServer postgres_;
  std::string database_;
  std::map<std::string, Part> parts_;
  Tokens tokens_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<std::string, Mend> mends_;
  std::vector<std::unique_ptr<pqxx::connection>> outsiders_;
  // Until when a worker may find at its start that nobody takes it, by its name.
  std::map<std::string, Clock::time_point> refused_;
  std::vector<std::string> complaints_;
};

}  // namespace gridsweep::testing

// A Gridsweep of real processes to which things happen: a PostgreSQL of its own,
// coordinators on one database and one artifact directory, analysis, and workers
// spread over the coordinators by links that can be cut.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tests/support/link.h"
#include "tests/chaos/schedule.h"
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
  // Mends what is due, and starts again a coordinator that gave up because it
  // found no database. To be called often.
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

  Ran Sweepctl(const std::vector<std::string>& arguments) const;
  // What psql prints; "" when the database does not answer.
  std::string Sql(const std::string& sql) const { return postgres_.Ask(sql, database_); }
  std::filesystem::path artifacts() const { return directory_ / "artifacts"; }

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
  Part MakeWorker(int i) const;
  Part MakeCoordinator(int i) const;
  void Start(const std::string& name);
  void BreakProgram(const std::string& name, FaultKind kind, Mend& mend);
  void BreakDatabase(const Fault& fault, Mend& mend);
  // False while it has not ended yet.
  bool Restart(const std::string& name, Clock::time_point since);
  void SetClock(int worker, int64_t seconds) const;
  void Exhaust();
  void TerminateBackends(int sessions);
  bool Answers(int coordinator) const;

  const std::filesystem::path directory_;
  const Shape shape_;
  const Clock::time_point start_ = Clock::now();
  PostgresServer postgres_;
  std::string database_;
  std::map<std::string, Part> parts_;
  std::vector<std::unique_ptr<Link>> links_;
  std::map<std::string, Mend> mends_;
  std::vector<std::unique_ptr<pqxx::connection>> outsiders_;
  std::vector<std::string> complaints_;
};

}  // namespace gridsweep::testing

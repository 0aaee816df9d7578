// Two coordinators, analysis and two workers on a database that a test made, and
// one sweep of tiny runs on them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/postgres_server.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {

class Fleet {
 public:
  // The artifacts go to `artifacts`, by default a directory of the fleet's own.
  explicit Fleet(std::filesystem::path artifacts = {});
  // Each program must end with 0 at SIGTERM. Logs are printed when the test has failed.
  ~Fleet();

  // Starts all on the database that libpq finds by `conninfo`, and submits `runs` runs.
  void Start(const std::string& conninfo, int runs);
  Ran Sweepctl(const std::vector<std::string>& arguments) const;
  // Writes a sweep of `runs` runs, whose seeds begin at `first`, and submits it.
  Ran Submit(int first, int runs) const;
  // The sweep ends, with one result a run in `server`'s `database`, no lease, no
  // attempt that failed, and nothing that verify finds.
  void ExpectGoodEnd(const PostgresServer& server, const std::string& database) const;

 private:
  std::string Socket(const std::string& name) const {
    return "unix:" + (directory_ / (name + ".sock")).string();
  }
  void StartProgram(const std::string& program, const std::string& name,
                    std::vector<std::string> words);

  const TemporaryDirectory directory_;
  const std::filesystem::path artifacts_;
  int runs_ = 0;
  std::string sweep_;
  std::vector<std::unique_ptr<Program>> programs_;
};

}  // namespace gridsweep::testing

// A whole Gridsweep of real programs: a database, a coordinator, analysis,
// workers on request, and sweepctl to ask it with.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {

class Instance {
 public:
  // Starts them and waits until they answer; what fails then fails the test.
  explicit Instance(const std::vector<std::string>& coordinator_flags);
  // Stops them; each must still run and end with 0. The logs of all programs
  // are printed when a test has failed.
  ~Instance();

  const std::string& coordinator() const { return coordinator_address_; }
  const std::string& analysis() const { return analysis_address_; }
  // libpq's connection string.
  const std::string& database() const { return database_; }
  pid_t coordinator_pid() const { return coordinator_->pid(); }
  // Where the program whose log was called `name` writes.
  std::filesystem::path LogOf(const std::string& name) const { return Log(name); }
  std::filesystem::path artifacts() const { return directory_ / "artifacts"; }
  // A unix socket for whatever a test serves.
  std::string Socket(const std::string& name) const {
    return "unix:" + (directory_ / (name + ".sock")).string();
  }

  // Another coordinator of the same database, at `address`, with `flags` beside this instance's;
  // its log is called `log`.
  std::unique_ptr<Program> StartCoordinator(const std::string& address, const std::string& log,
                                            const std::vector<std::string>& flags = {}) const;
  // Kills this instance's own coordinator, and starts it again with the flags that it had.
  void KillCoordinator();
  void RestartCoordinator();

  // A worker that finds the coordinator at `address`; its log is called `log`.
  std::unique_ptr<Program> StartWorker(const std::string& name, int slots,
                                       const std::string& address, const std::string& log) const;

  Ran Sweepctl(const std::vector<std::string>& arguments) const;
  // The answer of `sweepctl ... -o json`; null, and a failure of the test, unless it exits with 0.
  nlohmann::json Ask(std::vector<std::string> arguments) const;
  // Writes `yaml` to a file and submits it; the sweep's id.
  std::string Submit(const std::string& yaml) const;

 private:
  std::filesystem::path Log(const std::string& name) const { return directory_ / (name + ".log"); }

  const std::vector<std::string> coordinator_flags_;
  const TemporaryDirectory directory_;
  const std::string database_, coordinator_address_, analysis_address_;
  std::unique_ptr<Program> coordinator_, analysis_;
};

}  // namespace gridsweep::testing

// What is finished survives: disks that are away, servers that are not ours, a database that does
// not take one result, lines that are slow and break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "common/strings.h"
#include "tests/end_to_end/instance.h"
#include "tests/support/link.h"
#include "tests/support/small_disk.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::chrono::minutes kLong{3};

// `runs` runs of `steps` steps, by seed.
std::string SweepOf(int runs, int steps, int ng = 32) {
  std::string seeds;
  for (int i = 0; i < runs; ++i) seeds += StrCat(i == 0 ? "" : ", ", i);
  return StrCat(
      "name: finished\nmethod: grid\nparameters:\n"
      "  place_field_values: {value: gaussian}\n  Ng: {value: ", ng, "}\n  Np: {value: 16}\n"
      "  batch_size: {value: 8}\n  sequence_length: {value: 5}\n  n_epochs: {value: 1}\n"
      "  n_grad_steps_per_epoch: {value: ", steps, "}\n"
      "  eval_batches: {value: 2}\n  chance_units: {value: 0}\n  seed: {values: [", seeds, "]}\n");
}

void Execute(const std::string& database, const std::string& sql) {
  pqxx::connection connection(database);
  pqxx::work work(connection);
  work.exec(sql);
  work.commit();
}

class FinishedWork : public ::testing::Test {
 protected:
  // Before anything is started: what is mounted goes with the test.
  static void SetUpTestSuite() { own_mounts_ = EnterOwnMounts(); }

  FinishedWork() : instance_({"--lease-ttl", "5s", "--heartbeat-interval", "500ms"}) {}

  std::string LogOf(const std::string& name) const { return ReadFile(instance_.LogOf(name)); }
  // The runs of which the worker's log has `what`.
  std::set<std::string> RunsThat(const std::string& what) const {
    const std::regex line("run ([0-9]+): " + what);
    const std::string log = LogOf("w");
    std::set<std::string> runs;
    for (std::sregex_iterator at(log.begin(), log.end(), line), end; at != end; ++at) {
      runs.insert((*at)[1]);
    }
    return runs;
  }
  bool Spooled(size_t runs) const {
    return Within([&] { return RunsThat("no coordinator takes its result").size() >= runs; },
                  kLong);
  }
  std::unique_ptr<Program> Worker(int slots, const std::string& address = "") const {
    return instance_.StartWorker("w", slots, address.empty() ? instance_.coordinator() : address,
                                 "w");
  }
  // Every run of `sweep` has succeeded at its first attempt, and the worker is trusted.
  void ExpectNothingLost(const std::string& sweep, int runs) const {
    const Ran waited =
        instance_.Sweepctl({"wait", sweep, "--timeout", Timeout(std::chrono::minutes(3))});
    EXPECT_EQ(waited.code, 0) << waited.out << waited.err;
    EXPECT_THAT(instance_.Sweepctl({"verify", sweep}).out, HasSubstr("0 faults"));
    const json listed = instance_.Ask({"get", "runs", "--sweep", sweep, "--limit", "1000"});
    EXPECT_EQ(listed.size(), static_cast<size_t>(runs));
    for (const json& run : listed) {
      EXPECT_EQ(run.at("attempt"), 1) << run;
      EXPECT_EQ(run.at("failures"), 0) << run;
    }
    EXPECT_THAT(instance_.Sweepctl({"get", "workers"}).out,
                ::testing::Not(HasSubstr("quarantined")));
    EXPECT_THAT(LogOf("w"), ::testing::Not(HasSubstr("is refused")));
  }

  void SurviveElsewhere(const std::string& other);

  static bool own_mounts_;
  const Instance instance_;
};
bool FinishedWork::own_mounts_ = false;

TEST_F(FinishedWork, SurvivesAnArtifactDirectoryThatIsAway) {
  const std::string sweep = instance_.Submit(SweepOf(3, 50));
  const fs::path artifacts = instance_.artifacts(), away = artifacts.string() + ".away";
  fs::rename(artifacts, away);
  fs::create_directory(artifacts);  // as a mount point without its file system
  const auto worker = Worker(1);
  EXPECT_TRUE(Spooled(3));
  std::this_thread::sleep_for(std::chrono::seconds(12));  // two lease times and more
  fs::remove(artifacts);
  fs::rename(away, artifacts);
  ExpectNothingLost(sweep, 3);
  // The log names cause and remedy.
  EXPECT_THAT(LogOf("w"), HasSubstr("runs wait in"));
  EXPECT_THAT(LogOf("w"), HasSubstr("the artifact directory fails"));
  EXPECT_THAT(LogOf("w"), HasSubstr("nothing is lost, it is tried again"));
  EXPECT_EQ(worker->Terminate(), 0);
}

TEST_F(FinishedWork, SurvivesAnArtifactDirectoryThatIsReadOnly) {
  const std::string sweep = instance_.Submit(SweepOf(3, 50));
  const std::string artifacts = instance_.artifacts();
  const auto mounted = [&](unsigned long flags) {
    return mount(artifacts.c_str(), artifacts.c_str(), nullptr, flags, nullptr) == 0;
  };
  if (!own_mounts_ || !mounted(MS_BIND)) {
    GTEST_SKIP() << "NOT TESTED: this process may not mount anything";
  }
  EXPECT_TRUE(mounted(MS_BIND | MS_REMOUNT | MS_RDONLY));
  const auto worker = Worker(1);
  EXPECT_TRUE(Spooled(3));
  std::this_thread::sleep_for(std::chrono::seconds(12));
  EXPECT_EQ(umount(artifacts.c_str()), 0);
  ExpectNothingLost(sweep, 3);
  EXPECT_EQ(worker->Terminate(), 0);
}

// While runs are in training, the server called `other` is at the worker's address for 4 s.
void FinishedWork::SurviveElsewhere(const std::string& other) {
  const auto path = [&](const std::string& name) {
    return instance_.Socket(name).substr(std::string("unix:").size());
  };
  Link link(path("link"), {path("coordinator")});
  const std::string sweep = instance_.Submit(SweepOf(4, 2000));
  const auto worker = Worker(4, instance_.Socket("link"));
  EXPECT_TRUE(Within([&] { return LogOf("w").find(" starts: ") != std::string::npos; }, kLong));
  link.Lead({path(other)});
  EXPECT_TRUE(Spooled(1));
  std::this_thread::sleep_for(std::chrono::seconds(4));
  link.Lead({path("coordinator")});
  EXPECT_TRUE(Within(
      [&] { return instance_.Sweepctl({"wait", sweep, "--timeout", "1s"}).code == 0; }, kLong));
  EXPECT_THAT(instance_.Sweepctl({"verify", sweep}).out, HasSubstr("0 faults"));
  for (const std::string& run : RunsThat("no coordinator takes its result")) {
    const json described = instance_.Ask({"describe", "run", run});
    for (const json& attempt : described.at("attempts")) {
      EXPECT_NE(attempt.at("outcome"), "failed") << attempt;
    }
  }
  EXPECT_THAT(instance_.Sweepctl({"get", "workers"}).out,
              ::testing::Not(HasSubstr("quarantined")));
  EXPECT_THAT(LogOf("w"), ::testing::Not(HasSubstr("is refused")));
  EXPECT_THAT(LogOf("w"), ::testing::Not(HasSubstr("set-aside")));
  EXPECT_EQ(worker->Terminate(), 0);
}

TEST_F(FinishedWork, SurvivesAnotherServerAtTheAddress) {
  SurviveElsewhere("analysis");  // which knows no DispatchService
  EXPECT_THAT(LogOf("w"), HasSubstr("UNIMPLEMENTED"));
}

TEST_F(FinishedWork, SurvivesATokenOfAnotherRole) {
  const auto strict =
      instance_.StartCoordinator(instance_.Socket("strict"), "strict", {"--tokens", "required"});
  const Ran token = instance_.Sweepctl({"token", "create", "w", "--role", "read"});
  ASSERT_EQ(token.code, 0) << token.err;
  const TemporaryDirectory directory;
  std::ofstream(directory / "token") << token.out;
  setenv("GRIDSWEEP_TOKEN_FILE", (directory / "token").c_str(), 1);
  SurviveElsewhere("strict");
  unsetenv("GRIDSWEEP_TOKEN_FILE");
  EXPECT_THAT(LogOf("w"), HasSubstr("PERMISSION_DENIED"));
  EXPECT_EQ(strict->Terminate(), 0);
}

// Two hundred results wait; one of them meets an error each time. The others arrive, its worker
// trains on meanwhile, and so it is after a SIGKILL.
TEST_F(FinishedWork, OneThatIsNeverTakenHoldsUpNoneOfTwoHundred) {
  constexpr int kRuns = 200;
  const std::string sweep = instance_.Submit(SweepOf(kRuns, 1, 16));
  const std::string poisoned =
      instance_.Ask({"get", "runs", "--sweep", sweep}).at(0).at("run_id");
  Execute(instance_.database(),
          StrCat("create function poison() returns trigger language plpgsql as $$ begin "
                 "if new.run_id = ", poisoned, " then raise exception 'out of its mind'; end if; "
                 "return new; end $$; "
                 "create trigger poison before insert on run_results for each row "
                 "execute function poison()"));
  const fs::path artifacts = instance_.artifacts(), away = artifacts.string() + ".away";
  fs::rename(artifacts, away);
  fs::create_directory(artifacts);
  auto worker = Worker(2);
  EXPECT_TRUE(Within([&] { return RunsThat("no coordinator takes its result").size() == kRuns; },
                     std::chrono::minutes(5)));
  EXPECT_TRUE(worker->Kill());
  worker = Worker(2);
  const std::string next = instance_.Submit(SweepOf(1, 2));
  // It registers, leases and trains while none of the two hundred can arrive.
  EXPECT_TRUE(Spooled(kRuns + 1));
  fs::remove(artifacts);
  fs::rename(away, artifacts);
  EXPECT_TRUE(Within([&] { return RunsThat("its result has arrived").size() == kRuns; }, kLong));
  EXPECT_FALSE(RunsThat("its result has arrived").contains(poisoned));
  Execute(instance_.database(), "drop trigger poison on run_results");
  ExpectNothingLost(sweep, kRuns);
  ExpectNothingLost(next, 1);
  EXPECT_EQ(worker->Terminate(), 0);
}

TEST_F(FinishedWork, CancelReachesWhatWaitsOnAWorkersDisk) {
  const std::string sweep = instance_.Submit(SweepOf(1, 50));
  const fs::path artifacts = instance_.artifacts(), away = artifacts.string() + ".away";
  fs::rename(artifacts, away);
  fs::create_directory(artifacts);
  const auto worker = Worker(1);
  EXPECT_TRUE(Spooled(1));
  const std::string run = instance_.Ask({"get", "runs", "--sweep", sweep}).at(0).at("run_id");
  EXPECT_EQ(instance_.Sweepctl({"cancel", sweep, "--yes"}).code, 0);
  EXPECT_TRUE(Within([&] {
    if (RunsThat("it is cancelled").empty()) return false;
    const auto described = instance_.Ask({"describe", "run", run});
    const auto& attempts = described.at("attempts");
    return !attempts.empty() && attempts.at(0).value("outcome", "") == "cancelled";
  }));
  EXPECT_EQ(RunsThat("it is cancelled").size(), 1u);
  fs::remove(artifacts);
  fs::rename(away, artifacts);
  EXPECT_EQ(worker->Terminate(), 0);
}

// Each connection ends after a part of what a run's file needs, and all of them together take far
// longer than a minute: the file arrives for all that, without being sent more than once and a bit.
TEST_F(FinishedWork, ArrivesOverALineThatIsSlowAndBreaks) {
  constexpr int kRate = 80'000, kCut = 1'500'000;
  const std::string sweep = instance_.Submit(SweepOf(1, 1, 2048));
  Program relay({GRIDSWEEP_RELAY, instance_.Socket("line"), instance_.coordinator(),
                 std::to_string(kRate), std::to_string(kCut)},
                instance_.LogOf("line"));
  EXPECT_TRUE(Within([&] { return LogOf("line").find("listening") != std::string::npos; }));
  const auto worker = Worker(1, instance_.Socket("line"));
  const auto start = std::chrono::steady_clock::now();
  ExpectNothingLost(sweep, 1);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GT(took, std::chrono::seconds(75));
  uintmax_t stored = 0;
  for (const auto& entry : fs::recursive_directory_iterator(instance_.artifacts())) {
    if (entry.path().extension() == ".h5") stored += entry.file_size();
  }
  EXPECT_GT(stored, uintmax_t{2 * kCut});
  const std::string log = LogOf("line");
  const size_t last = log.rfind("carried ");
  ASSERT_NE(last, std::string::npos);
  EXPECT_LT(std::stod(log.substr(last + 8)), 1.3 * static_cast<double>(stored) + 1'000'000);
  EXPECT_EQ(worker->Terminate(), 0);
}

}  // namespace
}  // namespace gridsweep::testing

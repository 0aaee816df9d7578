#include "sweepctl/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <absl/time/clock.h>

#include "sweepctl/local_state.h"
#include "sweepctl/postgres_cluster.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ProcessTest : public ::testing::Test {
 protected:
  SpawnOptions Shell(const std::string& script) {
    SpawnOptions options;
    options.argv = {"/bin/sh", "-c", script};
    options.log = directory_ / "log";
    return options;
  }
  // Until the log holds `text`, or ten seconds are over.
  bool Logged(const std::string& text) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (absl::Now() < deadline) {
      if (LogTail(directory_ / "log", 100).find(text) != std::string::npos) return true;
      absl::SleepFor(absl::Milliseconds(10));
    }
    return false;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(ProcessTest, IsAliveUntilItIsStopped) {
  const auto process = Spawn(Shell("echo ready; exec sleep 60"));
  ASSERT_TRUE(process.ok()) << process.status();
  ASSERT_TRUE(Logged("ready"));
  EXPECT_TRUE(IsAlive(*process));
  EXPECT_TRUE(Stop(*process, SIGTERM, absl::Seconds(10)).ok());
  EXPECT_FALSE(IsAlive(*process));
}

TEST_F(ProcessTest, IsKilledWhenItIgnoresTheSignal) {
  const auto process = Spawn(Shell("trap '' TERM; echo ready; while :; do sleep 0.1; done"));
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(Logged("ready"));
  EXPECT_TRUE(Stop(*process, SIGTERM, absl::Milliseconds(200)).ok());
  EXPECT_FALSE(IsAlive(*process));
}

TEST_F(ProcessTest, AnotherStartTimeIsAnotherProcess) {
  const auto process = Spawn(Shell("exec sleep 60"));
  ASSERT_TRUE(process.ok());
  ProcessId later = *process;
  later.start_ticks += 1;
  EXPECT_FALSE(IsAlive(later));
  // Stopping the namesake must not hurt the one that has the pid.
  EXPECT_TRUE(Stop(later, SIGKILL, absl::Seconds(1)).ok());
  EXPECT_TRUE(IsAlive(*process));
  EXPECT_TRUE(Stop(*process, SIGKILL, absl::Seconds(10)).ok());
}

TEST_F(ProcessTest, LeavesItsParentsSession) {
  const auto process = Spawn(Shell("exec sleep 60"));
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(getsid(static_cast<pid_t>(process->pid)), process->pid);
  EXPECT_TRUE(Stop(*process, SIGKILL, absl::Seconds(10)).ok());
}

TEST_F(ProcessTest, AMissingProgramIsToldAtOnce) {
  SpawnOptions options = Shell("");
  options.argv = {"/nonexistent/program"};
  const auto process = Spawn(options);
  EXPECT_TRUE(absl::IsNotFound(process.status()));
  EXPECT_THAT(std::string(process.status().message()), HasSubstr("/nonexistent/program"));
}

TEST_F(ProcessTest, AFailedProgramShowsTheEndOfItsLog) {
  const absl::Status status = RunToEnd(Shell("echo no such disk; exit 3"), "initdb");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("no such disk"));
}

TEST_F(ProcessTest, ACrashReportNamesTheDeadPieceAndItsLastWords) {
  LocalState state;
  state.data = directory_.path();
  state.boot_id = BootId();
  const auto alive = Spawn(Shell("exec sleep 60"));
  ASSERT_TRUE(alive.ok());
  std::ofstream(directory_ / "worker.log") << "one\nout of memory\n";
  state.pieces = {{"coordinator", *alive, (directory_ / "log").string()},
                  {"worker", {1 << 30, 1}, (directory_ / "worker.log").string()}};
  const std::string report = CrashReport(state);
  EXPECT_THAT(report, HasSubstr("worker (pid 1073741824) has died"));
  EXPECT_THAT(report, HasSubstr("out of memory"));
  EXPECT_THAT(report, ::testing::Not(HasSubstr("coordinator (pid")));
  EXPECT_TRUE(Stop(*alive, SIGKILL, absl::Seconds(10)).ok());
  EXPECT_THAT(CrashReport(state), HasSubstr("coordinator (pid"));
}

TEST_F(ProcessTest, StateSurvivesItsFile) {
  LocalState state;
  state.data = directory_.path();
  state.boot_id = BootId();
  state.address = "unix:/a";
  state.analysis_address = "unix:/b";
  state.database = "host=/x";
  state.slots = 3;
  state.complete = true;
  state.pieces = {{"postgres", {12, 345}, "/log"}};
  ASSERT_TRUE(WriteLocalState(state).ok());
  const auto read = ReadLocalState(directory_.path());
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->pieces, state.pieces);
  EXPECT_EQ((*read)->address, "unix:/a");
  EXPECT_EQ((*read)->slots, 3);
  EXPECT_TRUE((*read)->IsOfThisBoot());
  RemoveLocalState(directory_.path());
  EXPECT_FALSE(ReadLocalState(directory_.path())->has_value());
}

TEST_F(ProcessTest, ADamagedStateFileIsSaidToBe) {
  std::ofstream(StateFile(directory_.path())) << "{\"data\": 3}";
  EXPECT_TRUE(absl::IsDataLoss(ReadLocalState(directory_.path()).status()));
}

TEST(SocketDirectory, IsKeptShortEnoughForASocket) {
  EXPECT_EQ(SocketDirectory("/short/run"), "/short/run");
  const fs::path deep = "/" + std::string(120, 'd') + "/run";
  const fs::path chosen = SocketDirectory(deep);
  EXPECT_LT((chosen / ".s.PGSQL.5432.lock").string().size(), 108u);
  EXPECT_EQ(chosen, SocketDirectory(deep));
  EXPECT_NE(chosen, SocketDirectory("/" + std::string(120, 'e') + "/run"));
}

TEST_F(ProcessTest, AClusterIsNotMadeInThePlaceOfSomethingElse) {
  const auto cluster = PostgresCluster::Prepare(directory_.path(), directory_.path());
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  fs::create_directory(cluster->home() / "data");
  std::ofstream(cluster->home() / "data" / "thesis.tex") << "\\begin{document}";
  EXPECT_FALSE(cluster->Exists());
  EXPECT_TRUE(absl::IsFailedPrecondition(cluster->Create()));
  EXPECT_TRUE(fs::exists(cluster->home() / "data" / "thesis.tex"));
}

TEST_F(ProcessTest, APrivateDirectoryIsClosedToOthersAndNeverALink) {
  const fs::path directory = directory_ / "private";
  ASSERT_TRUE(MakePrivateDirectory(directory, "").ok());
  EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
  fs::create_directory_symlink(directory, directory_ / "link");
  EXPECT_TRUE(absl::IsPermissionDenied(MakePrivateDirectory(directory_ / "link", "")));
}

}  // namespace
}  // namespace gridsweep::sweepctl

// One exit code and one message for a server that is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sweepctl/exit_code.h"
#include "sweepctl/local_state.h"
#include "tests/support/temporary_directory.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Crash : public ::testing::Test {
 protected:
  // A local instance whose coordinator has died.
  Crash() {
    LocalState state;
    state.data = directory_.path().string();
    state.boot_id = BootId();
    state.address = state.analysis_address = "unix:" + (directory_ / "socket").string();
    state.complete = true;
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, nullptr, 0);
    state.pieces = {{"coordinator", {pid, 1}, (directory_ / "coordinator.log").string()}};
    EXPECT_TRUE(WriteLocalState(state).ok());
    setenv("GRIDSWEEP_DATA", directory_.path().c_str(), 1);
    for (const char* name : {"GRIDSWEEP_ADDRESS", "GRIDSWEEP_ANALYSIS_ADDRESS"}) unsetenv(name);
    setenv("XDG_CONFIG_HOME", directory_.path().c_str(), 1);
    std::ofstream(directory_ / "sweep.yaml") << "method: grid\nparameters:\n  place_field_values: "
                                                "{value: gaussian}\n";
  }
  ~Crash() override {
    for (const char* name : {"GRIDSWEEP_DATA", "XDG_CONFIG_HOME"}) unsetenv(name);
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(Crash, OfTheLocalInstanceIsSaidOnceAndExitsOneFromEveryCommand) {
  const std::string file = (directory_ / "sweep.yaml").string();
  for (const std::vector<std::string>& command : {std::vector<std::string>{"get", "sweeps"},
                                                  {"query", "fraction"},
                                                  {"submit", file},
                                                  {"watch", "1"},
                                                  {"wait", "1"},
                                                  {"describe", "run", "1"},
                                                  {"metrics"},
                                                  {"verify", "1"}}) {
    const Ran ran = RunCaptured(command);
    EXPECT_EQ(ran.code, kFailed) << command[0];
    EXPECT_THAT(ran.err, HasSubstr("coordinator (pid")) << command[0];
    EXPECT_THAT(ran.err, HasSubstr("`sweepctl local up` starts it again")) << command[0];
    EXPECT_THAT(ran.err, Not(HasSubstr("cannot reach"))) << command[0];
  }
}

TEST_F(Crash, OfAnotherServerIsOneThatCanBeTriedAgain) {
  const std::string file = (directory_ / "sweep.yaml").string();
  for (std::vector<std::string> command : {std::vector<std::string>{"get", "sweeps"},
                                           {"query", "fraction"},
                                           {"submit", file},
                                           {"watch", "1"}}) {
    for (const char* flag : {"--address", "--analysis-address"}) {
      command.insert(command.end(), {flag, "unix:/nonexistent/socket"});
    }
    const Ran ran = RunCaptured(command);
    EXPECT_EQ(ran.code, kUnavailable) << command[0] << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("cannot reach")) << command[0];
    EXPECT_THAT(ran.err, Not(HasSubstr("has died"))) << command[0];
  }
}

}  // namespace
}  // namespace gridsweep::sweepctl

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"
#include "sweepctl/exit_code.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CommandLine, NothingIsAUsageErrorThatShowsTheVerbs) {
  const Ran ran = RunCaptured({});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("submit"));
  EXPECT_EQ(ran.out, "");
}

TEST(CommandLine, AMistypedVerbIsGuessed) {
  const Ran ran = RunCaptured({"sumbit", "a.yaml"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err,
              HasSubstr("\"sumbit\" is not a verb of `sweepctl`; did you mean \"submit\"?"));
}

TEST(CommandLine, AMistypedNounIsGuessedWithinItsVerb) {
  const Ran ran = RunCaptured({"get", "worker5"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("`sweepctl get`; did you mean \"workers\"?"));
}

TEST(CommandLine, AStrangeWordIsNotGuessed) {
  EXPECT_THAT(RunCaptured({"xyzzy"}).err, ::testing::Not(HasSubstr("did you mean")));
}

TEST(CommandLine, AnUnknownFlagNamesTheHelpOfItsVerb) {
  const Ran ran = RunCaptured({"validate", "--bogus", "x.yaml"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("--bogus"));
  EXPECT_THAT(ran.err, HasSubstr("See `sweepctl validate --help`."));
}

TEST(CommandLine, AnUnknownFormatListsTheFormats) {
  const Ran ran = RunCaptured({"version", "-o", "xml"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("\"xml\" is not one of table|wide|json|jsonl|yaml|csv|name"));
}

TEST(CommandLine, CancelWithoutATerminalNeedsYes) {
  const Ran ran = RunCaptured({"cancel", "3"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("--yes"));
}

TEST(CommandLine, DeleteWithoutATerminalNeedsYes) {
  const Ran ran = RunCaptured({"delete", "3", "--force"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("--yes"));
}

TEST(CommandLine, RetryNamesTheStatesThatItCanRetry) {
  const Ran ran = RunCaptured({"retry", "3", "--filter", "failed,running"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("\"running\" is not one of failed, diverged, cancelled"));
}

TEST(CommandLine, AServerThatIsNotThereIsUnavailable) {
  const Ran ran = RunCaptured({"get", "sweeps", "--address", "unix:/nonexistent/socket"});
  EXPECT_EQ(ran.code, kUnavailable);
  EXPECT_THAT(ran.err, HasSubstr("cannot reach the coordinator at unix:/nonexistent/socket"));
  EXPECT_THAT(ran.err, HasSubstr("flag --address"));
  EXPECT_THAT(ran.err, HasSubstr("sweepctl local up"));
}

TEST(CommandLine, GlobalFlagsMayStandBeforeOrAfterTheVerb) {
  EXPECT_EQ(RunCaptured({"-o", "name", "version"}).out, RunCaptured({"version", "-o", "name"}).out);
}

// Each verb, by the path that leads to it.
class Help : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Help, EndsWithAnExample) {
  std::vector<std::string> args = GetParam();
  args.push_back("--help");
  const Ran ran = RunCaptured(args);
  EXPECT_EQ(ran.code, kDone);
  EXPECT_EQ(ran.err, "");
  const size_t example = ran.out.rfind("Example:\n  ");
  ASSERT_NE(example, std::string::npos) << ran.out;
  EXPECT_THAT(ran.out.substr(example), HasSubstr("sweepctl " + GetParam().front()));
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, Help,
    ::testing::Values(
        std::vector<std::string>{"submit"}, std::vector<std::string>{"validate"},
        std::vector<std::string>{"watch"}, std::vector<std::string>{"wait"},
        std::vector<std::string>{"pause"}, std::vector<std::string>{"resume"},
        std::vector<std::string>{"stop"}, std::vector<std::string>{"cancel"},
        std::vector<std::string>{"retry"}, std::vector<std::string>{"delete"},
        std::vector<std::string>{"workers"}, std::vector<std::string>{"workers", "cordon"},
        std::vector<std::string>{"workers", "uncordon"},
        std::vector<std::string>{"workers", "drain"}, std::vector<std::string>{"token"},
        std::vector<std::string>{"token", "create"}, std::vector<std::string>{"token", "list"},
        std::vector<std::string>{"token", "revoke"}, std::vector<std::string>{"get"},
        std::vector<std::string>{"get", "sweeps"}, std::vector<std::string>{"get", "runs"},
        std::vector<std::string>{"get", "workers"}, std::vector<std::string>{"get", "units"},
        std::vector<std::string>{"describe"}, std::vector<std::string>{"describe", "sweep"},
        std::vector<std::string>{"describe", "run"}, std::vector<std::string>{"query", "fraction"},
        std::vector<std::string>{"query", "summary"},
        std::vector<std::string>{"compare", "published"},
        std::vector<std::string>{"compare", "predictivity"},
        std::vector<std::string>{"compare", "recordings"}, std::vector<std::string>{"ratemaps"},
        std::vector<std::string>{"figure"}, std::vector<std::string>{"verify"},
        std::vector<std::string>{"score"}, std::vector<std::string>{"theory"},
        std::vector<std::string>{"metrics"}, std::vector<std::string>{"rpc"},
        std::vector<std::string>{"local", "up"}, std::vector<std::string>{"local", "down"},
        std::vector<std::string>{"local", "status"}, std::vector<std::string>{"config", "view"},
        std::vector<std::string>{"completion"}, std::vector<std::string>{"version"},
        std::vector<std::string>{"help"}));

TEST(ExitCode, FollowsTheStatus) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), 1);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), 1);
  EXPECT_EQ(ExitCodeOf(UsageError("")), 2);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), 3);
  EXPECT_EQ(ExitCodeOf(absl::UnauthenticatedError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), 4);
  EXPECT_EQ(ExitCodeOf(absl::AlreadyExistsError("")), 5);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), 7);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), 75);
  EXPECT_EQ(ExitCodeOf(absl::ResourceExhaustedError("")), 75);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), 130);
}

TEST(CommandLine, TellsItsVersionAsTheServersDo) {
  const std::string version = RunCaptured({"version", "-o", "name"}).out;
  const Ran ran = RunCaptured({"--version"});
  EXPECT_EQ(ran.code, kDone);
  EXPECT_EQ(ran.out, "sweepctl " + version);
  EXPECT_EQ(RunCaptured({"get", "runs", "--version"}).out, ran.out);
}

TEST(CommandLine, ANumberThatIsNoneIsNamedInAFewWords) {
  for (const char* text : {"0", "abc", "-3", "1.5", "99999999999999999999"}) {
    const Ran ran = RunCaptured({"get", "runs", "--limit", text});
    EXPECT_EQ(ran.code, kUsage);
    EXPECT_THAT(ran.err, HasSubstr(std::string("--limit: \"") + text +
                                   "\" is not a whole number from 1 on\n"));
  }
  EXPECT_THAT(RunCaptured({"validate", "x.yaml", "--gflops", "0"}).err,
              HasSubstr("--gflops: \"0\" is not a number above 0\n"));
  EXPECT_THAT(RunCaptured({"rpc", "list", "--timeout", "nan"}).err,
              HasSubstr("--timeout: \"nan\" is not a number of 0 or more\n"));
}

TEST(CommandLine, StatesAreNamedAsPeopleSayThem) {
  // Past the flags, to a server that is not there.
  for (const char* state : {"running", "Running", "LEASED", "failed,running"}) {
    const Ran ran =
        RunCaptured({"get", "runs", "--state", state, "--address", "unix:/nonexistent/socket"});
    EXPECT_EQ(ran.code, kUnavailable) << state << ran.err;
  }
  EXPECT_THAT(RunCaptured({"get", "runs", "--state", "done"}).err,
              HasSubstr("\"done\" is not one of pending, backoff, paused, running, succeeded, "
                        "diverged, failed, cancelled"));
}

TEST(CommandLine, HelpPrintsVerbsAndWhatFiltersSay) {
  EXPECT_EQ(RunCaptured({"help", "query", "fraction"}).out,
            RunCaptured({"query", "fraction", "--help"}).out);
  for (const bool terminal : {false, true}) {  // into a pager, too
    const Ran filter = RunCaptured({"help", "filter"}, "", terminal);
    EXPECT_EQ(filter.code, kDone);
    EXPECT_THAT(filter.out, HasSubstr("conditions `FIELD OP VALUE` joined by AND"));
    EXPECT_THAT(filter.out, HasSubstr("decoding_error_cm"));
  }
  EXPECT_EQ(RunCaptured({"help", "nonsense"}).code, kUsage);
}

}  // namespace
}  // namespace gridsweep::sweepctl

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "nlohmann/json.hpp"
#include "sweepctl/exit_code.h"
#include "sweepctl/sweep_summary.h"
#include "tests/sweepctl/run_sweepctl.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr char kGood[] =
    "method: grid\n"
    "parameters:\n"
    "  place_field_values: {value: gaussian}\n"
    "  rnn_type:\n"
    "    values: [RNN, GRU]\n"
    "  seed:\n"
    "    values: [0, 1, 2]\n";

constexpr char kBad[] =
    "method: grid\n"
    "parameters:\n"
    "  place_field_values: {value: gaussian}\n"
    "  rnn_type:\n"
    "    values: [RNN, LSTN]\n";

class ValidateTest : public ::testing::Test {
 protected:
  std::string Write(const char* name, const char* text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(ValidateTest, AGoodFileTellsRunsCostAndTheFirstRuns) {
  const Ran ran = RunCaptured({"validate", Write("good.yaml", kGood)}, "", true);
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("good.yaml: valid, 6 runs"));
  EXPECT_THAT(
      ran.out,
      ContainsRegex("cost +[0-9.e+]+ flop to train: [0-9.,]+ (s|min|h|days|years) on one core"));
  EXPECT_THAT(ran.out, HasSubstr("at an assumed 60 Gflop/s"));
  EXPECT_THAT(ran.out, ContainsRegex("RUN +READOUT +rnn_type +seed"));
}

TEST_F(ValidateTest, TheAssumedSpeedScalesTheHours) {
  const std::string file = Write("good.yaml", kGood);
  const auto hours = [&](const char* gflops) {
    return nlohmann::json::parse(RunCaptured({"validate", file, "-o", "json", "--gflops", gflops})
                                     .out)[0]["core_hours"]
        .get<double>();
  };
  EXPECT_DOUBLE_EQ(hours("50"), 2 * hours("100"));
}

TEST_F(ValidateTest, AFaultShowsItsLineWithACaret) {
  const Ran ran = RunCaptured({"validate", Write("bad.yaml", kBad)});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, ContainsRegex("bad.yaml:5:19: error: parameters.rnn_type.values\\[1\\]: "));
  EXPECT_THAT(ran.err, HasSubstr("\n  5 |     values: [RNN, LSTN]\n"
                                 "    |                   ^\n"));
}

TEST_F(ValidateTest, EscapesOfAFileReachNoTerminal) {
  const std::string head = "method: grid\nparameters: {place_field_values: {value: gaussian}}\n";
  const std::pair<std::string, const char*> cases[] = {
      {head + "a\x1b[31mb: 1\n", "  3 | a\\u001b[31mb: 1\n    |  ^\n"},
      {head + "name: \x1b[2J\n", "control character 27"},
      {head + "name: \"a\\e[2Jb\"\n", "name: \"a\\u001b[2Jb\": a name with control characters"},
      {head + "\"a\\e[31mb\": 1\n", "a\\u001b[31mb: "},
      {head + "gridsweep: {labels: {a: \"x\\nb\"}}\n", "\"x\\nb\": a name with control characters"},
      {head + "gridsweep: {priority: \"\\u009b2J\"}\n", "\\u009b2J"},
  };
  for (const auto& [text, shown] : cases) {
    for (const bool terminal : {true, false}) {
      const Ran ran = RunCaptured({"validate", Write("hostile.yaml", text.c_str())}, "", terminal);
      EXPECT_EQ(ran.code, kFailed) << text;
      EXPECT_THAT(ran.err, HasSubstr(shown));
      for (const char* part : {"\x1b", "\xC2\x9B"}) {
        EXPECT_EQ((ran.out + ran.err).find(part), std::string::npos) << ran.err;
      }
    }
  }
}

TEST_F(ValidateTest, SeveralFilesAreAllAnswered) {
  const std::string bad = Write("bad.yaml", kBad), good = Write("good.yaml", kGood);
  const Ran ran = RunCaptured({"validate", bad, "/nonexistent.yaml", good});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("/nonexistent.yaml: there is no such file"));
  EXPECT_THAT(ran.err, HasSubstr("2 of 3 files are not valid"));
  EXPECT_THAT(ran.out, HasSubstr(good + "\tyes\t6\t"));
}

TEST_F(ValidateTest, CostIsInTheUnitThatReads) {
  const std::string tiny = std::string(kGood) +
                           "  Ng: {value: 16}\n  Np: {value: 16}\n  n_epochs: {value: 1}\n"
                           "  n_grad_steps_per_epoch: {value: 10}\n";
  const std::string a = Write("tiny.yaml", tiny.c_str()), b = Write("good.yaml", kGood);
  EXPECT_THAT(RunCaptured({"validate", a, a}, "", true).out,
              ContainsRegex("Together: 12 runs, [0-9.e+]+ flop, [0-9.]+ s on one core"));
  const std::string huge = std::string(kGood) +
                           "  Ng: {value: 2000000}\n  batch_size: {value: "
                           "1000000000}\n";
  const Ran ran = RunCaptured({"validate", Write("huge.yaml", huge.c_str())}, "", true);
  EXPECT_THAT(ran.out, ContainsRegex("to train: [0-9,]+ years on one core"));
  EXPECT_THAT(ran.out, ContainsRegex("memory +at least [0-9,]+ PiB a run"));
  EXPECT_EQ(CostText(0.4), "0.4 s");
  EXPECT_EQ(CostText(49), "49 s");
  EXPECT_EQ(CostText(20 * 60), "20 min");
  EXPECT_EQ(CostText(3.44 * 3600), "3.4 h");
  EXPECT_EQ(CostText(12.2 * 86400), "12 days");
  EXPECT_EQ(CostText(1234 * 365.25 * 86400), "1,234 years");
}

TEST_F(ValidateTest, SparseEvaluationIsSaid) {
  const std::string sparse = std::string(kGood) + "  batch_size: {value: 10}\n";
  EXPECT_THAT(RunCaptured({"validate", Write("sparse.yaml", sparse.c_str())}, "", true).out,
              HasSubstr("evaluation at 500 positions (published: 10,000)"));
  EXPECT_THAT(RunCaptured({"validate", Write("good.yaml", kGood)}, "", true).out,
              ::testing::Not(HasSubstr("evaluation at")));
}

TEST_F(ValidateTest, StandardInputIsAFile) {
  EXPECT_EQ(RunCaptured({"validate", "-"}, kGood).code, kDone);
  EXPECT_THAT(RunCaptured({"validate", "-"}, kBad).err, HasSubstr("<stdin>:5:19: error: "));
}

TEST_F(ValidateTest, ADryRunSubmitsNothingAndNeedsNoServer) {
  const std::string good = Write("good.yaml", kGood);
  const Ran ran =
      RunCaptured({"submit", "--dry-run", good, "--address", "unix:/nonexistent/socket"}, "", true);
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("6 runs"));
}

TEST_F(ValidateTest, NoticesAreSaidInEveryFormat) {
  const std::string file = Write("noticed.yaml",
                                 "program: train.py\n"
                                 "method: grid\n"
                                 "parameters:\n"
                                 "  place_field_values: {value: gaussian}\n");
  for (const char* format : {"table", "json", "csv"}) {
    const Ran ran = RunCaptured({"validate", file, "-o", format});
    EXPECT_EQ(ran.code, kDone) << format;
    EXPECT_THAT(ran.err, HasSubstr("noticed.yaml:1:1: note: program: ")) << format;
  }
}

TEST_F(ValidateTest, ARandomSweepWithoutANumberIsValidAndSubmitAsksForIt) {
  const std::string file = Write("random.yaml",
                                 "method: random\n"
                                 "parameters:\n"
                                 "  place_field_values: {value: gaussian}\n"
                                 "  Ng: {min: 1, max: 2000000000}\n");
  const Ran valid = RunCaptured({"validate", file}, "", true);
  EXPECT_EQ(valid.code, kDone);
  EXPECT_THAT(valid.err, HasSubstr("random.yaml:2:1: note: parameters: "));
  EXPECT_THAT(valid.out, HasSubstr("number of runs not given (--runs N)"));
  EXPECT_THAT(RunCaptured({"validate", file, "--runs", "500"}, "", true).out,
              HasSubstr("valid, 500 runs"));
  const Ran refused = RunCaptured({"submit", file, "--address", "unix:/nonexistent/socket"});
  EXPECT_EQ(refused.code, kFailed);
  EXPECT_THAT(refused.err, HasSubstr("method: random needs a number of runs"));
}

TEST_F(ValidateTest, SubmitRefusesABadFileBeforeItAsksAServer) {
  const Ran ran =
      RunCaptured({"submit", Write("bad.yaml", kBad), "--address", "unix:/nonexistent/socket"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("nothing was submitted"));
}

}  // namespace
}  // namespace gridsweep::sweepctl

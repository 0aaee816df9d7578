#include "sweepctl/readout_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "sweepctl/exit_code.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

using science::Draw;
using science::Readout;
using ::testing::HasSubstr;

struct Chosen {
  absl::StatusOr<ReadoutChoice> choice;
  std::string err;
};

Chosen Choose(const std::vector<std::string>& words, const std::string& input = "",
              std::optional<uint64_t> runs = std::nullopt) {
  std::istringstream in(input);
  std::ostringstream out, err;
  Console console{in, out, err};
  auto choice = ChooseReadouts(console, words, runs);
  return {std::move(choice), err.str()};
}

TEST(ReadoutChoice, PairsAreAConfiguration) {
  const auto chosen = Choose({"place_field_values=gaussian", "place_cell_rf=0.2"});
  ASSERT_TRUE(chosen.choice.ok()) << chosen.err;
  ASSERT_EQ(chosen.choice->readouts.size(), 1u);
  EXPECT_EQ(chosen.choice->readouts[0].config.place_field_values, Readout::kGaussian);
  EXPECT_EQ(chosen.choice->readouts[0].config.place_cell_rf, Draw::Constant(0.2));
  EXPECT_TRUE(chosen.choice->sweep.empty());
}

TEST(ReadoutChoice, AListIsOneReadoutAValue) {
  const auto chosen = Choose({"place_field_values=[gaussian, difference_of_gaussians]",
                              "place_cell_rf=[0.1, Uniform( 0.06 , 0.18 )]"});
  // A comma inside a list's text ends a value: this list has a broken one.
  EXPECT_FALSE(chosen.choice.ok());
  const auto quoted = Choose({"place_field_values=[gaussian, difference_of_gaussians]",
                              "place_cell_rf=[0.1, \"Uniform( 0.06 , 0.18 )\"]"});
  ASSERT_TRUE(quoted.choice.ok()) << quoted.err;
  EXPECT_EQ(quoted.choice->readouts.size(), 4u);
  const auto plain =
      Choose({"place_field_values=gaussian", "place_cell_rf=Uniform( 0.06 , 0.18 )"});
  ASSERT_TRUE(plain.choice.ok()) << plain.err;
  EXPECT_EQ(plain.choice->readouts[0].config.place_cell_rf, Draw::Uniform(0.06, 0.18));
}

TEST(ReadoutChoice, AFilesRunsAreGroupedByReadout) {
  const auto chosen = Choose({"-"},
                             "method: grid\n"
                             "parameters:\n"
                             "  place_field_values: {values: [softmax_of_differences, gaussian]}\n"
                             "  activation: {values: [relu, tanh]}\n"
                             "  surround_scale: {values: [2, 3]}\n"
                             "  seed: {values: [4, 3]}\n");
  ASSERT_TRUE(chosen.choice.ok()) << chosen.err;
  const auto& readouts = chosen.choice->readouts;
  ASSERT_EQ(readouts.size(), 3u) << "a Gaussian has no surround to differ in";
  int64_t runs = 0;
  for (const auto& readout : readouts) {
    EXPECT_EQ(readout.config.seed, 3);
    const bool gaussian = readout.config.place_field_values == Readout::kGaussian;
    EXPECT_EQ(readout.runs, gaussian ? 8 : 4);
    runs += readout.runs;
  }
  EXPECT_EQ(runs, 16);
}

TEST(ReadoutChoice, AnotherWordIsASweep) {
  const auto chosen = Choose({"my-sweep"});
  ASSERT_TRUE(chosen.choice.ok());
  EXPECT_EQ(chosen.choice->sweep, "my-sweep");
  EXPECT_TRUE(chosen.choice->readouts.empty());
}

TEST(ReadoutChoice, RandomFilesNeedANumberOfDraws) {
  const std::string file =
      "method: random\n"
      "parameters:\n"
      "  place_field_values: {value: gaussian}\n"
      "  place_cell_rf: {min: 0.05, max: 0.2}\n";
  const auto none = Choose({"-"}, file);
  EXPECT_EQ(ExitCodeOf(none.choice.status()), kUsage);
  EXPECT_THAT(std::string(none.choice.status().message()), HasSubstr("--runs"));
  const auto five = Choose({"-"}, file, 5);
  ASSERT_TRUE(five.choice.ok()) << five.err;
  EXPECT_EQ(five.choice->readouts.size(), 5u);
}

TEST(ReadoutChoice, FaultsAreExplained) {
  const auto unknown = Choose({"place_field_values=gausian"});
  EXPECT_FALSE(unknown.choice.ok());
  EXPECT_THAT(unknown.err, HasSubstr("did you mean \"gaussian\"?"));
  EXPECT_EQ(Choose({"/nonexistent.yaml"}).choice.status().code(), absl::StatusCode::kNotFound);
  const auto mixed = Choose({"3", "Np=4"});
  EXPECT_EQ(ExitCodeOf(mixed.choice.status()), kUsage);
  EXPECT_THAT(std::string(mixed.choice.status().message()), HasSubstr("\"3\""));
}

TEST(Theory, SaysWhichServerItMissesAfterTheFileWasChecked) {
  const Ran ran = RunCaptured(
      {"theory", "place_field_values=gaussian", "--analysis-address", "unix:/nonexistent/socket"});
  EXPECT_EQ(ran.code, kUnavailable);
  EXPECT_THAT(ran.err, HasSubstr("analysis"));
  EXPECT_EQ(RunCaptured({"theory", "place_field_values=gausian"}).code, kFailed);
  EXPECT_EQ(RunCaptured({"theory", "3", "--patterns", "gelu"}).code, kUsage);
}

}  // namespace
}  // namespace gridsweep::sweepctl

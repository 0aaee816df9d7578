// Grids with points that cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "science/config/parameters.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ImpossiblePoints, AreCountedWithTheFirstThreeAndTheExcludeThatDropsThem) {
  const auto result =
      Expanded(Grid("place_field_values: {values: [cartesian, gaussian]}\n"
                    "Np: {values: [2, 256]}\n"
                    "seed: {min: 0, max: 2}"));
  EXPECT_FALSE(result.sweep);
  EXPECT_THAT(
      Errors(result),
      ElementsAre(AllOf(
          HasSubstr("2:1 parameters: 6 of 12 runs cannot be. The first: "),
          HasSubstr("{Np: 2, place_field_values: gaussian, seed: 0}: Np 2 with readout gaussian"),
          HasSubstr("{Np: 2, place_field_values: gaussian, seed: 2}: "),
          Not(HasSubstr("cartesian, seed: 0}: ")),
          HasSubstr("add under gridsweep: exclude: [{Np: 2, place_field_values: gaussian}, "
                    "{Np: 256, place_field_values: cartesian}]"))));
}

TEST(ImpossiblePoints, AFaultThatAllPointsShareIsReportedWhereItStands) {
  const auto result = Expanded(Grid("seed: {min: 0, max: 99}\nNp: {value: 2}"));
  EXPECT_THAT(Errors(result), ElementsAre(HasSubstr("5:15 parameters.Np.value: 2 with readout")));
  // A random sweep says the same.
  EXPECT_THAT(Errors(Expanded(Random("seed: {min: 0, max: 99}\nNp: {value: 2}", "run_cap: 3\n"))),
              ElementsAre(HasSubstr("5:15 parameters.Np.value: 2 with readout")));
  // The fault of a default is reported at what it follows.
  EXPECT_THAT(Errors(Expanded(Grid("place_field_values: {value: cartesian}\n"
                                   "place_field_loss: {value: crossentropy}"))),
              ElementsAre(HasSubstr("4:29 parameters.place_field_loss.value: crossentropy needs")));
  EXPECT_THAT(
      Errors(Expanded(Grid("place_field_values: {value: general_difference_of_gaussians}"))),
      ElementsAre(HasSubstr("3:31 parameters.place_cell_alpha_e: "),
                  HasSubstr("3:31 parameters.place_cell_alpha_i: ")));
}

TEST(ImpossiblePoints, WhenNoneIsLeftThereIsNoExcludeToOffer) {
  const auto result =
      Expanded(Grid("place_field_values: {values: [cartesian, polar]}\nNp: {values: [3, 4]}"));
  EXPECT_THAT(Errors(result), ElementsAre(AllOf(HasSubstr("4 of 4 runs cannot be"),
                                                HasSubstr("No run is left: mend the values"))));
}

// For grids drawn at random: what the message offers leaves exactly the possible points.
TEST(ImpossiblePoints, TheOfferedExcludeLeavesExactlyThePossiblePoints) {
  std::mt19937_64 random(5);
  const auto some = [&](std::vector<std::string> values) {
    std::shuffle(values.begin(), values.end(), random);
    values.resize(1 + random() % values.size());
    std::string text = "{values: [";
    for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + values[i];
    return text + "]}\n";
  };
  int offered = 0, valid = 0;
  for (int i = 0; i < 500; ++i) {
    std::string axes = "place_field_values: " +
                       some({"cartesian", "high_dim_cartesian", "polar", "high_dim_polar",
                             "gaussian", "difference_of_gaussians", "softmax_of_differences"});
    if (random() % 2) axes += "Np: " + some({"2", "3", "511", "512"});
    if (random() % 2) axes += "place_field_loss: " + some({"mse", "polarmse", "crossentropy"});
    if (random() % 2) axes += "place_field_normalization: " + some({"none", "global"});
    if (random() % 2) {
      axes += "surround_scale: " + some({"0", "1", "2", "'Uniform( 1.0 , 3.0 )'"});
    }
    if (random() % 2) axes += "place_cell_rf: " + some({"0", "0.1", "'Uniform( 0.1 , 0.2 )'"});
    if (random() % 2) axes += "optimizer: " + some({"adam", "rmsprop"});
    if (random() % 2) axes += "momentum: " + some({"0", "0.9"});
    const std::string yaml = Grid(axes);
    SCOPED_TRACE(yaml);
    const auto result = Expanded(yaml);
    const auto errors = Errors(result);
    if (errors.empty()) {
      for (const auto& run : result.sweep->runs) ASSERT_TRUE(CheckConfig(run).empty());
      ++valid;
      continue;
    }
    const std::string message = errors.front();
    const size_t exclude = message.find("exclude: [");
    if (exclude == std::string::npos || message.find(", ...") != std::string::npos) continue;
    size_t bad = 0, total = 0;
    ASSERT_EQ(
        std::sscanf(message.c_str() + message.find(": ") + 2, "%zu of %zu runs", &bad, &total), 2);
    const auto mended = Expanded(yaml + "gridsweep:\n  " + message.substr(exclude) + "\n");
    const auto runs = Runs(mended);
    ASSERT_EQ(runs.size(), total - bad);
    ASSERT_EQ(mended.sweep->excluded, bad);
    ++offered;
  }
  EXPECT_GT(offered, 100);
  EXPECT_GT(valid, 10);
}

}  // namespace
}  // namespace gridsweep::sweepspec

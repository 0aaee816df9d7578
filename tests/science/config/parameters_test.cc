#include "science/config/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace gridsweep::science {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();
constexpr int64_t kMaxCount = 2147483647;
constexpr int64_t kMaxSeed = 9007199254740991;

struct Limits {
  std::vector<Value> good, bad;
};

// Values at and beyond the limits of every parameter that is a number or a draw.
std::map<std::string_view, Limits> AllLimits() {
  const Limits count = {{int64_t{1}, kMaxCount}, {int64_t{0}, int64_t{-1}, kMaxCount + 1}};
  const Limits count_or_zero = {{int64_t{0}, kMaxCount}, {int64_t{-1}, INT64_MIN, kMaxCount + 1}};
  const Limits above_zero = {{kTiny, 1e-4, kMax}, {0.0, -0.0, -kTiny, -1.0, kNan, kInfinity}};
  const Limits at_least_zero = {{0.0, -0.0, kTiny, kMax}, {-kTiny, -1.0, kNan, kInfinity}};
  const Limits fraction = {{0.0, 0.5, std::nextafter(1.0, 0.0)}, {1.0, 2.0, -kTiny, kNan}};
  const Limits width = {
      {Draw::Constant(0), Draw::Constant(kMax), Draw::Uniform(0, 1), Draw::Uniform(0.1, 0.1)},
      {Draw::Constant(-kTiny), Draw::Constant(kNan), Draw::Constant(kInfinity),
       Draw::Uniform(-0.1, 1), Draw::Uniform(0.2, 0.1), Draw::Uniform(0, kInfinity),
       Draw::Poisson(1)}};
  const Limits fields = {
      {Draw::Constant(1), Draw::Constant(100), Draw::Poisson(kTiny), Draw::Poisson(100)},
      {Draw::Constant(0), Draw::Constant(1.5), Draw::Constant(101), Draw::Constant(-1),
       Draw::Poisson(0), Draw::Poisson(-1), Draw::Poisson(100.5), Draw::Poisson(kNan),
       Draw::Uniform(1, 2)}};
  std::map<std::string_view, Limits> limits;
  for (const char* name : {"Ng", "Np", "batch_size", "sequence_length", "n_grad_steps_per_epoch",
                           "lstm_units", "eval_batches", "eval_sequence_length"}) {
    limits[name] = count;
  }
  for (const char* name : {"n_epochs", "n_head_direction_cells", "n_train_trajectories",
                           "eval_every_n_steps", "chance_units", "chance_shuffles"}) {
    limits[name] = count_or_zero;
  }
  for (const char* name : {"learning_rate", "head_direction_concentration", "box_width_in_m",
                           "box_height_in_m", "bin_side_in_m"}) {
    limits[name] = above_zero;
  }
  for (const char* name :
       {"weight_decay", "gradient_clip", "place_cell_alpha_e", "place_cell_alpha_i"}) {
    limits[name] = at_least_zero;
  }
  for (const char* name : {"momentum", "readout_dropout", "recurrent_dropout"}) {
    limits[name] = fraction;
  }
  for (const char* name : {"place_cell_rf", "surround_scale"}) limits[name] = width;
  limits["n_place_fields_per_cell"] = fields;
  limits["seed"] = {{int64_t{0}, kMaxSeed}, {int64_t{-1}, kMaxSeed + 1}};
  return limits;
}

TEST(Parameters, EveryNumberIsAcceptedAtItsLimitsAndRefusedBeyond) {
  const auto all = AllLimits();
  for (const Parameter& parameter : Parameters()) {
    if (parameter.kind == ParameterKind::kBool || parameter.kind == ParameterKind::kChoice)
      continue;
    const auto limits = all.find(parameter.name);
    ASSERT_NE(limits, all.end()) << parameter.name;
    for (const Value& value : limits->second.good) {
      EXPECT_EQ(CheckValue(parameter, value), "") << parameter.name;
    }
    for (const Value& value : limits->second.bad) {
      EXPECT_NE(CheckValue(parameter, value), "") << parameter.name;
    }
  }
}

TEST(Parameters, AValueOutOfItsRangeIsTheConfigurationsOnlyError) {
  for (const auto& [name, limits] : AllLimits()) {
    const Parameter& parameter = *FindParameter(name);
    for (const Value& value : limits.bad) {
      RunConfig config;
      parameter.set(config, value);
      const auto errors = CheckConfig(config);
      ASSERT_EQ(errors.size(), 1u) << name;
      EXPECT_EQ(errors[0].parameter, name);
      EXPECT_EQ(errors[0].message, CheckValue(parameter, value));
      EXPECT_TRUE(errors[0].together_with.empty());
    }
  }
}

TEST(Parameters, MessagesNameTheValueAndWhatIsAllowed) {
  const auto message = [](std::string_view name, const Value& value) {
    return CheckValue(*FindParameter(name), value);
  };
  EXPECT_EQ(message("Ng", int64_t{0}), "0 is not >= 1");
  EXPECT_EQ(message("Ng", kMaxCount + 1), "2147483648 is too large; allowed: at most 2147483647");
  EXPECT_EQ(message("learning_rate", -1e-7), "-1e-7 is not > 0");
  EXPECT_EQ(message("momentum", 1.0), "1 is too large; allowed: [0, 1)");
  EXPECT_THAT(message("place_cell_rf", Draw::Uniform(0.2, 0.1)),
              HasSubstr("Uniform( 0.2 , 0.1 ) has its bounds in the wrong order"));
  EXPECT_THAT(message("n_place_fields_per_cell", Draw::Constant(1.5)),
              HasSubstr("1.5 is not a whole number from 1 to 100, or Poisson( r )"));
}

TEST(Parameters, AreSortedByNameAndFound) {
  EXPECT_TRUE(std::ranges::is_sorted(Parameters(), {}, &Parameter::name));
  for (const Parameter& parameter : Parameters()) {
    EXPECT_EQ(FindParameter(parameter.name), &parameter);
    EXPECT_FALSE(parameter.help.empty()) << parameter.name;
    EXPECT_FALSE(parameter.range.empty()) << parameter.name;
    EXPECT_FALSE(parameter.default_text.empty()) << parameter.name;
  }
  EXPECT_EQ(FindParameter("ng"), nullptr);
  EXPECT_EQ(FindParameter(""), nullptr);
}

// Source: SPEC sections 2 to 4, the published sweep files' spellings.
TEST(Parameters, ChoicesAreThePublishedNames) {
  const std::map<std::string_view, std::vector<std::string_view>> expected = {
      {"rnn_type", {"RNN", "SRNN", "GRU", "LSTM", "UGRNN", "BaninoLSTM"}},
      {"activation", {"relu", "tanh", "sigmoid", "linear"}},
      {"initializer", {"glorot_uniform", "glorot_normal", "orthogonal"}},
      {"optimizer", {"adam", "rmsprop", "sgd", "adagrad"}},
      {"place_field_values",
       {"cartesian", "high_dim_cartesian", "polar", "high_dim_polar", "gaussian",
        "difference_of_gaussians", "true_difference_of_gaussians",
        "general_difference_of_gaussians", "softmax_of_differences"}},
      {"place_field_normalization", {"none", "global"}},
      {"place_field_loss", {"mse", "polarmse", "crossentropy", "binarycrossentropy"}},
      {"dropout_mode", {"published", "keras", "readout"}},
      {"gradient_clip_scope", {"all", "heads"}},
  };
  std::map<std::string_view, std::vector<std::string_view>> found;
  for (const Parameter& parameter : Parameters()) {
    if (parameter.kind == ParameterKind::kChoice) found[parameter.name] = parameter.choices;
  }
  EXPECT_EQ(found, expected);
}

TEST(Parameters, EveryChoiceIsSetAndReadBack) {
  for (const Parameter& parameter : Parameters()) {
    for (std::string_view choice : parameter.choices) {
      RunConfig config;
      parameter.set(config, std::string(choice));
      EXPECT_EQ(parameter.get(config), Value(std::string(choice))) << parameter.name;
      EXPECT_EQ(FindChoice(parameter, choice), choice);
    }
  }
}

TEST(Parameters, OnlyTheNetworkIsNamedWithoutCase) {
  const Parameter& network = *FindParameter("rnn_type");
  EXPECT_EQ(FindChoice(network, "lstm"), "LSTM");
  EXPECT_EQ(FindChoice(network, "ugRnn"), "UGRNN");
  EXPECT_EQ(FindChoice(network, "BANINOlstm"), "BaninoLSTM");
  EXPECT_EQ(FindChoice(network, "VanillaRNN"), "SRNN");
  EXPECT_EQ(FindChoice(network, "vanillarnn"), "SRNN");
  EXPECT_EQ(FindChoice(network, "LSTN"), std::nullopt);
  EXPECT_EQ(FindChoice(*FindParameter("activation"), "ReLU"), std::nullopt);
}

// Source: SPEC section 12.
TEST(Parameters, DefaultsThatFollowTheReadout) {
  const auto completed = [](Readout readout, std::set<std::string_view> given, RunConfig config) {
    config.place_field_values = readout;
    ApplyDependentDefaults(config, [&](std::string_view name) { return given.contains(name); });
    return config;
  };
  for (Readout readout :
       {Readout::kCartesian, Readout::kHighDimCartesian, Readout::kPolar, Readout::kHighDimPolar}) {
    const RunConfig config = completed(readout, {}, {});
    EXPECT_EQ(config.place_field_normalization, Normalization::kNone);
    const bool polar = readout == Readout::kPolar;
    EXPECT_EQ(config.place_field_loss, polar ? Loss::kPolarMse : Loss::kMse);
    EXPECT_EQ(config.Np, polar || readout == Readout::kCartesian ? 2 : 512);
    EXPECT_TRUE(CheckConfig(config).empty());
  }
  for (Readout readout : {Readout::kGaussian, Readout::kDifferenceOfGaussians,
                          Readout::kTrueDifferenceOfGaussians, Readout::kSoftmaxOfDifferences}) {
    const RunConfig config = completed(readout, {}, {});
    EXPECT_EQ(config.place_field_normalization, Normalization::kGlobal);
    EXPECT_EQ(config.place_field_loss, Loss::kCrossEntropy);
    EXPECT_EQ(config.Np, 512);
    EXPECT_TRUE(CheckConfig(config).empty());
  }
  RunConfig none;
  none.place_field_normalization = Normalization::kNone;
  EXPECT_EQ(completed(Readout::kGaussian, {"place_field_normalization"}, none).place_field_loss,
            Loss::kMse);
  RunConfig given;
  given.Np = 7;
  given.place_field_loss = Loss::kMse;
  given = completed(Readout::kGaussian, {"Np", "place_field_loss"}, given);
  EXPECT_EQ(given.Np, 7);
  EXPECT_EQ(given.place_field_loss, Loss::kMse);
}

// Source: SPEC section 9: 38 Gflop a step for the RNN, 7.5 Pflop a published network.
TEST(TrainingFlop, IsThePublishedCost) {
  RunConfig config;
  EXPECT_NEAR(TrainingFlop(config) / static_cast<double>(config.TotalSteps()), 38e9, 0.5e9);
  EXPECT_NEAR(TrainingFlop(config), 7.5e15, 0.1e15);
  config.n_epochs = 0;
  EXPECT_EQ(TrainingFlop(config), 0);
}

TEST(TrainingFlop, CountsTheGatesOfEachNetwork) {
  RunConfig config;
  config.Ng = 10;
  config.Np = 7;
  config.batch_size = 3;
  config.sequence_length = 5;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 2;
  const std::pair<RnnType, double> gates[] = {{RnnType::kRnn, 1},
                                              {RnnType::kSrnn, 3},
                                              {RnnType::kUgrnn, 5},
                                              {RnnType::kGru, 7},
                                              {RnnType::kLstm, 9}};
  for (const auto& [type, c] : gates) {
    config.rnn_type = type;
    EXPECT_EQ(TrainingFlop(config), 3 * 2.0 * 3 * 5 * (c * 100 + 70) * 2);
  }
}

}  // namespace
}  // namespace gridsweep::science

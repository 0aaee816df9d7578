// Values that are each in range and cannot be together. Source: SPEC sections
// 2, 4 and 12.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Readout kReadouts[] = {
    Readout::kCartesian,
    Readout::kHighDimCartesian,
    Readout::kPolar,
    Readout::kHighDimPolar,
    Readout::kGaussian,
    Readout::kDifferenceOfGaussians,
    Readout::kTrueDifferenceOfGaussians,
    Readout::kGeneralDifferenceOfGaussians,
    Readout::kSoftmaxOfDifferences,
};

// A valid configuration of the readout.
RunConfig Of(Readout readout) {
  RunConfig config;
  config.place_field_values = readout;
  if (readout == Readout::kGeneralDifferenceOfGaussians) {
    config.place_cell_alpha_e = 1;
    config.place_cell_alpha_i = 0.25;
  }
  ApplyDependentDefaults(config, [](std::string_view) { return false; });
  return config;
}

std::vector<std::string> Faults(const RunConfig& config) {
  std::vector<std::string> faults;
  for (const auto& error : CheckConfig(config)) faults.push_back(error.parameter);
  return faults;
}

TEST(Combinations, EachReadoutWithItsDefaultsIsValid) {
  for (Readout readout : kReadouts) EXPECT_THAT(Faults(Of(readout)), IsEmpty());
}

// Every readout with every loss, normalization, size, width and surround,
// against the rules written down once more.
TEST(Combinations, AreRefusedExactlyByTheRules) {
  int refused = 0, accepted = 0;
  for (Readout readout : kReadouts) {
    const bool two = readout == Readout::kCartesian || readout == Readout::kPolar;
    const bool cells = readout >= Readout::kGaussian;
    const bool general = readout == Readout::kGeneralDifferenceOfGaussians;
    const bool surround = readout > Readout::kGaussian;
    for (Loss loss :
         {Loss::kMse, Loss::kPolarMse, Loss::kCrossEntropy, Loss::kBinaryCrossEntropy}) {
      for (Normalization normalization : {Normalization::kNone, Normalization::kGlobal}) {
        for (int64_t np : {1, 2, 3, 4, 511, 512}) {
          for (double rf : {0.0, 0.12}) {
            for (double scale : {0.0, 0.5, 1.0, 1.5}) {
              RunConfig config = Of(readout);
              config.place_field_loss = loss;
              config.place_field_normalization = normalization;
              config.Np = np;
              config.place_cell_rf = Draw::Constant(rf);
              config.surround_scale = Draw::Constant(scale);
              const bool bad_loss = (loss == Loss::kCrossEntropy &&
                                     !(cells && normalization == Normalization::kGlobal)) ||
                                    (loss == Loss::kBinaryCrossEntropy && !cells) ||
                                    (loss == Loss::kPolarMse && readout != Readout::kPolar);
              const bool bad_size = (two && np != 2) || (cells && np < 3) ||
                                    (readout == Readout::kHighDimPolar && np % 2 == 1);
              const bool bad_width = cells && rf == 0;
              const bool bad_surround = surround && (general ? scale == 0 : scale <= 1);
              std::vector<std::string> expected;
              if (bad_loss) expected.push_back("place_field_loss");
              if (bad_size) expected.push_back("Np");
              if (bad_width) expected.push_back("place_cell_rf");
              if (bad_surround) expected.push_back("surround_scale");
              ASSERT_EQ(Faults(config), expected) << ReadoutFamily(config) << " " << np;
              ++(expected.empty() ? accepted : refused);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(accepted, 200);
  EXPECT_GT(refused, 1000);
}

struct Refusal {
  Readout readout;
  std::function<void(RunConfig&)> change;
  const char* parameter;
  const char* message;  // a part that names the value and the fix
  std::vector<std::string_view> together_with;
};

TEST(Combinations, MessagesNameTheValueTheReasonAndTheFix) {
  const Refusal refusals[] = {
      {Readout::kCartesian,
       [](RunConfig& c) { c.place_field_loss = Loss::kCrossEntropy; },
       "place_field_loss",
       "cartesian has none; use mse",
       {"place_field_values"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.place_field_normalization = Normalization::kNone; },
       "place_field_loss",
       "is none here; set it to global, or use mse",
       {"place_field_normalization"}},
      {Readout::kHighDimPolar,
       [](RunConfig& c) { c.place_field_loss = Loss::kBinaryCrossEntropy; },
       "place_field_loss",
       "high_dim_polar has others; use mse",
       {"place_field_values"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.place_field_loss = Loss::kPolarMse; },
       "place_field_loss",
       "not gaussian; use mse",
       {"place_field_values"}},
      {Readout::kCartesian,
       [](RunConfig& c) { c.Np = 512; },
       "Np",
       "512 with readout cartesian, which has exactly 2 units; use Np 2",
       {"place_field_values"}},
      {Readout::kPolar,
       [](RunConfig& c) { c.Np = 1; },
       "Np",
       "1 with readout polar",
       {"place_field_values"}},
      {Readout::kHighDimPolar,
       [](RunConfig& c) { c.Np = 511; },
       "Np",
       "needs an even number",
       {"place_field_values"}},
      {Readout::kSoftmaxOfDifferences,
       [](RunConfig& c) { c.Np = 2; },
       "Np",
       "use Np >= 3",
       {"place_field_values"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.place_cell_rf = Draw::Uniform(0, 0.2); },
       "place_cell_rf",
       "Uniform( 0.0 , 0.2 ) with readout gaussian, which needs widths > 0 m",
       {"place_field_values"}},
      {Readout::kDifferenceOfGaussians,
       [](RunConfig& c) { c.surround_scale = Draw::Uniform(1, 4.5); },
       "surround_scale",
       "Uniform( 1.0 , 4.5 ) with readout difference_of_gaussians, which needs > 1 in every draw",
       {"place_field_values"}},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.surround_scale = Draw::Constant(0); },
       "surround_scale",
       "0 with readout general_difference_of_gaussians, which needs > 0",
       {"place_field_values"}},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.place_cell_alpha_i.reset(); },
       "place_cell_alpha_i",
       "place_cell_alpha_i is missing",
       {"place_field_values"}},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.place_cell_alpha_e.reset(); },
       "place_cell_alpha_e",
       "place_cell_alpha_e is missing",
       {"place_field_values"}},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.place_cell_alpha_e = c.place_cell_alpha_i = 0; },
       "place_cell_alpha_i",
       "both heights are 0",
       {"place_field_values", "place_cell_alpha_e", "surround_scale"}},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) {
         c.place_cell_alpha_e = c.place_cell_alpha_i = 0.5;
         c.surround_scale = Draw::Constant(1);
       },
       "place_cell_alpha_i",
       "centre and surround cancel",
       {"place_field_values", "place_cell_alpha_e", "surround_scale"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.box_width_in_m = 2.21; },
       "box_width_in_m",
       "2.21 m is not a whole number of bins of 0.05 m; change it or bin_side_in_m",
       {"bin_side_in_m"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.box_height_in_m = 0.01; },
       "box_height_in_m",
       "0.01 m is not a whole number of bins",
       {"bin_side_in_m"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.momentum = 0.9; },
       "momentum",
       "0.9 with optimizer adam; momentum is for rmsprop alone: use 0",
       {"optimizer"}},
      {Readout::kGaussian,
       [](RunConfig& c) { c.n_train_trajectories = 199; },
       "n_train_trajectories",
       "199 do not fill one batch of 200; use at least batch_size",
       {"batch_size"}},
  };
  for (const Refusal& refusal : refusals) {
    RunConfig config = Of(refusal.readout);
    refusal.change(config);
    const auto errors = CheckConfig(config);
    ASSERT_EQ(errors.size(), 1u) << refusal.message;
    EXPECT_EQ(errors[0].parameter, refusal.parameter);
    EXPECT_THAT(errors[0].message, HasSubstr(refusal.message));
    EXPECT_EQ(errors[0].together_with, refusal.together_with) << refusal.message;
  }
}

TEST(Combinations, WhatIsNextToTheForbiddenIsAllowed) {
  const std::pair<Readout, std::function<void(RunConfig&)>> allowed[] = {
      {Readout::kCartesian,
       [](RunConfig& c) {
         c.place_cell_rf = Draw::Constant(0);
         c.surround_scale = Draw::Constant(0);
       }},
      {Readout::kGaussian, [](RunConfig& c) { c.surround_scale = Draw::Constant(0); }},
      {Readout::kDifferenceOfGaussians,
       [](RunConfig& c) { c.surround_scale = Draw::Constant(1.0000001); }},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.surround_scale = Draw::Constant(1); }},
      {Readout::kGeneralDifferenceOfGaussians,
       [](RunConfig& c) { c.place_cell_alpha_i = c.place_cell_alpha_e; }},
      {Readout::kGeneralDifferenceOfGaussians, [](RunConfig& c) { c.place_cell_alpha_e = 0; }},
      {Readout::kGaussian, [](RunConfig& c) { c.place_field_loss = Loss::kBinaryCrossEntropy; }},
      {Readout::kGaussian,
       [](RunConfig& c) {
         c.optimizer = Optimizer::kRmsprop;
         c.momentum = 0.9;
       }},
      {Readout::kGaussian, [](RunConfig& c) { c.n_train_trajectories = 200; }},
      {Readout::kGaussian, [](RunConfig& c) { c.n_epochs = 0; }},
      {Readout::kHighDimCartesian, [](RunConfig& c) { c.Np = 1; }},
      // Whole numbers of bins that binary fractions do not show.
      {Readout::kGaussian,
       [](RunConfig& c) {
         c.box_width_in_m = 0.3;
         c.box_height_in_m = 1.1;
         c.bin_side_in_m = 0.1;
       }},
      {Readout::kGaussian, [](RunConfig& c) { c.bin_side_in_m = 2.2; }},
  };
  for (const auto& [readout, change] : allowed) {
    RunConfig config = Of(readout);
    change(config);
    EXPECT_THAT(Faults(config), IsEmpty()) << ReadoutFamily(config);
  }
}

TEST(Combinations, EveryFaultIsReportedTogether) {
  RunConfig config = Of(Readout::kDifferenceOfGaussians);
  config.place_field_normalization = Normalization::kNone;
  config.Np = 2;
  config.place_cell_rf = Draw::Constant(0);
  config.surround_scale = Draw::Constant(1);
  config.momentum = 0.5;
  EXPECT_THAT(Faults(config),
              ElementsAre("place_field_loss", "Np", "place_cell_rf", "surround_scale", "momentum"));
}

}  // namespace
}  // namespace gridsweep::science

#include "science/theory/readout_theory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep::theory {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(const science::RunConfig& config) {
  const auto theory = PredictLattice(config, {.eigenmaps = 0});
  EXPECT_EQ(theory.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(theory.status().message());
}

TEST(ReadoutTheory, BelongsToPlaceCellsInASquareBox) {
  science::RunConfig config;
  config.place_field_values = science::Readout::kCartesian;
  EXPECT_THAT(Refusal(config), StartsWith("place_field_values: no place cells"));
  config = {};
  config.box_height_in_m = 1.1;
  EXPECT_THAT(Refusal(config), StartsWith("box_height_in_m: 1.1 is not box_width_in_m, 2.2"));
  config = {};
  config.Np = 2049;
  EXPECT_THAT(Refusal(config), StartsWith("Np: 2049 is more than"));
}

TEST(ReadoutTheory, OutputsThatDoNotVaryHaveNone) {
  science::RunConfig config;
  config.Np = 1;
  config.place_field_values = science::Readout::kGaussian;  // a softmax over one cell
  EXPECT_THAT(Refusal(config), HasSubstr("do not vary"));
  config.place_field_values = science::Readout::kTrueDifferenceOfGaussians;  // 0/0
  EXPECT_THAT(Refusal(config), HasSubstr("do not vary"));
}

TEST(ReadoutTheory, EveryPlaceCellReadoutHasOne) {
  for (const auto fields : {science::Draw::Constant(1), science::Draw::Poisson(3)}) {
    for (const auto readout :
         {science::Readout::kGaussian, science::Readout::kDifferenceOfGaussians,
          science::Readout::kTrueDifferenceOfGaussians,
          science::Readout::kGeneralDifferenceOfGaussians,
          science::Readout::kSoftmaxOfDifferences}) {
      science::RunConfig config;
      config.place_field_values = readout;
      config.place_cell_alpha_e = 1;
      config.place_cell_alpha_i = 0.3;
      config.n_place_fields_per_cell = fields;
      config.Np = 64;
      const auto theory = PredictLattice(config, {.res = 20, .eigenmaps = 2});
      ASSERT_TRUE(theory.ok()) << theory.status();
      EXPECT_EQ(theory->radial.power.size(), 10u);
      EXPECT_EQ(theory->eigenmaps.values.size(), 2u);
      EXPECT_EQ(theory->rings.maximum.height, 1);
    }
  }
}

}  // namespace
}  // namespace gridsweep::theory

#include "science/integrator/dropout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gridsweep::integrator {
namespace {

using science::DropoutMode;
using science::RnnType;
using science::RunConfig;

RunConfig ConfigOf(DropoutMode mode) {
  RunConfig config;
  config.dropout_mode = mode;
  config.rnn_type = RnnType::kGru;
  config.Ng = 96;
  config.batch_size = 50;
  config.sequence_length = 10;
  config.readout_dropout = 0.3;
  config.recurrent_dropout = 0.6;
  return config;
}

DropoutMasks MasksOf(const RunConfig& config, uint64_t step = 0) {
  Dropout dropout(config);
  return dropout.Draw(step);
}

double Dropped(const at::Tensor& mask) { return mask.eq(0).to(at::kDouble).mean().item<double>(); }

// Every element is 0 or 1 / (1 - rate), and a share `rate` of them is 0, within
// five standard errors.
void ExpectInvertedDropout(const at::Tensor& mask, double rate, at::IntArrayRef sizes) {
  ASSERT_TRUE(mask.defined());
  ASSERT_EQ(mask.sizes(), sizes);
  const at::Tensor kept = mask.masked_select(mask.ne(0));
  EXPECT_TRUE(kept.eq(static_cast<float>(1 / (1 - rate))).all().item<bool>());
  const double error = std::sqrt(rate * (1 - rate) / static_cast<double>(mask.numel()));
  EXPECT_NEAR(Dropped(mask), rate, 5 * error);
}

TEST(Dropout, KeepsRatesThatAreNoMultipleOfAByte) {
  RunConfig config = ConfigOf(DropoutMode::kReadout);
  config.batch_size = 1000;
  for (const double rate : {0.001, 0.01, 0.5, 0.998}) {
    config.readout_dropout = rate;
    ExpectInvertedDropout(MasksOf(config).units, rate, {10000, 96});
  }
}

TEST(Dropout, IsOffAsPublishedWhateverTheRates) {
  const DropoutMasks masks = MasksOf(ConfigOf(DropoutMode::kPublished));
  EXPECT_FALSE(masks.input.defined() || masks.recurrent.defined() || masks.units.defined());
}

TEST(Dropout, KerasDropsInputAndStateOnceASequence) {
  const DropoutMasks masks = MasksOf(ConfigOf(DropoutMode::kKeras));
  ExpectInvertedDropout(masks.input, 0.3, {50, 96});
  ExpectInvertedDropout(masks.recurrent, 0.6, {50, 96});
  EXPECT_FALSE(masks.units.defined());
}

TEST(Dropout, KerasDropsTheInputsThemselvesWhereTheRecurrentLayerTakesThem) {
  RunConfig config = ConfigOf(DropoutMode::kKeras);
  config.rnn_type = RnnType::kRnn;
  EXPECT_EQ(MasksOf(config).input.sizes(), (at::IntArrayRef{50, 2}));
  EXPECT_EQ(MasksOf(config).recurrent.sizes(), (at::IntArrayRef{50, 96}));
  config.rnn_type = RnnType::kBaninoLstm;
  EXPECT_EQ(MasksOf(config).input.sizes(), (at::IntArrayRef{50, 3}));
  EXPECT_EQ(MasksOf(config).recurrent.sizes(), (at::IntArrayRef{50, 128}));
}

TEST(Dropout, ReadoutDropsUnitsAfreshEveryStepAndIgnoresTheRecurrentRate) {
  const DropoutMasks masks = MasksOf(ConfigOf(DropoutMode::kReadout));
  ExpectInvertedDropout(masks.units, 0.3, {500, 96});
  EXPECT_FALSE(masks.input.defined() || masks.recurrent.defined());
  EXPECT_FALSE(masks.units.narrow(0, 0, 50).equal(masks.units.narrow(0, 50, 50)));
}

TEST(Dropout, ARateOfZeroDropsNothing) {
  RunConfig config = ConfigOf(DropoutMode::kKeras);
  config.readout_dropout = 0;
  EXPECT_FALSE(MasksOf(config).input.defined());
  EXPECT_TRUE(MasksOf(config).recurrent.defined());
}

// Neighbours in a row, in a column and in the next step are dropped together as
// often as independent ones would be: rate^2.
TEST(Dropout, ElementsAreIndependent) {
  RunConfig config = ConfigOf(DropoutMode::kReadout);
  config.batch_size = 200;
  config.readout_dropout = 0.5;
  const at::Tensor zero = MasksOf(config).units.eq(0).to(at::kDouble);
  const at::Tensor cube = zero.view({10, 200, 96});
  for (int64_t dim = 0; dim < 3; ++dim) {
    const int64_t n = cube.size(dim) - 1;
    const at::Tensor both = cube.narrow(dim, 0, n) * cube.narrow(dim, 1, n);
    EXPECT_NEAR(both.mean().item<double>(), 0.25,
                5 * std::sqrt(0.25 * 0.75 / static_cast<double>(both.numel())));
  }
}

TEST(Dropout, AStepsMasksDoNotDependOnWhatWasDrawnBefore) {
  for (const DropoutMode mode : {DropoutMode::kKeras, DropoutMode::kReadout}) {
    const RunConfig config = ConfigOf(mode);
    Dropout resumed(config), whole(config);
    for (uint64_t step = 0; step < 5; ++step) whole.Draw(step);
    const DropoutMasks& a = resumed.Draw(5);
    const DropoutMasks& b = whole.Draw(5);
    for (const auto mask : {&DropoutMasks::input, &DropoutMasks::recurrent, &DropoutMasks::units}) {
      ASSERT_EQ((a.*mask).defined(), (b.*mask).defined());
      EXPECT_TRUE(!(a.*mask).defined() || (a.*mask).equal(b.*mask));
    }
  }
}

TEST(Dropout, StepsAndSeedsHaveMasksOfTheirOwn) {
  RunConfig config = ConfigOf(DropoutMode::kReadout);
  const at::Tensor first = MasksOf(config).units;
  EXPECT_FALSE(first.equal(MasksOf(config, 1).units));
  config.seed = 1;
  EXPECT_FALSE(first.equal(MasksOf(config).units));
}

}  // namespace
}  // namespace gridsweep::integrator

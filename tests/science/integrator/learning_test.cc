// A network of the smallest useful size learns to integrate paths.
#include <gtest/gtest.h>

#include "science/integrator/trainer.h"
#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Readout;
using science::RunConfig;

// The small published-recipe run: relu RNN, 128 units, sigma 0.20 m.
RunConfig SmallRun(int64_t steps) {
  RunConfig config;
  config.Ng = 128;
  config.Np = 256;
  config.batch_size = 100;
  config.learning_rate = 2e-3;
  config.place_cell_rf = Draw::Constant(0.2);
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = steps;
  return config;
}

double ErrorAfterTraining(const RunConfig& config) {
  auto trainer = Trainer::Create(config);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  for (int64_t i = 0; i < config.TotalSteps(); ++i) {
    const auto step = (*trainer)->Step();
    EXPECT_TRUE(step.ok() && step->finite);
  }
  const auto evaluation = (*trainer)->Evaluate();
  EXPECT_TRUE(evaluation.ok()) << evaluation.status();
  return evaluation->pos_err_published;
}

// Staying at the start position is 41 cm off after 50 steps, the centre of the box
// 86; the decoder itself errs by 6. With this recipe 3,000 steps reached 13 cm
// where this was written (6,000 reach 9).
TEST(Learning, DifferencesOfSoftmaxesAreLearned) {
  RunConfig config = SmallRun(3000);
  config.place_field_values = Readout::kDifferenceOfGaussians;
  EXPECT_LT(ErrorAfterTraining(config), 25);
}

TEST(Learning, GaussiansAreLearnedSooner) {
  RunConfig config = SmallRun(1000);
  config.place_field_values = Readout::kGaussian;
  EXPECT_LT(ErrorAfterTraining(config), 30);
}

}  // namespace
}  // namespace gridsweep::integrator

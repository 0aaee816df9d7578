// Training of every network: what the trainer makes of rnn_type, dropout_mode,
// head-direction cells, fixed trajectories and clipping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "science/config/parameters.h"
#include "science/integrator/trainer.h"
#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using science::ClipScope;
using science::DropoutMode;
using science::Readout;
using science::RnnType;
using science::RunConfig;

RunConfig ConfigOf(RnnType type, int64_t steps = 60) {
  RunConfig config;
  config.rnn_type = type;
  config.activation = science::Activation::kTanh;
  config.Ng = 32;
  config.lstm_units = 24;
  config.Np = 48;
  config.place_field_values = Readout::kGaussian;
  config.place_cell_rf = science::Draw::Constant(0.3);
  config.batch_size = 20;
  config.sequence_length = 8;
  config.eval_sequence_length = 8;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = steps;
  config.learning_rate = 3e-3;
  return config;
}

struct Trained {
  std::vector<double> losses;
  Evaluation evaluation;
};

Trained Train(const RunConfig& config) {
  auto trainer = Trainer::Create(config);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  Trained trained;
  for (int64_t i = 0; i < config.TotalSteps(); ++i) {
    const auto step = (*trainer)->Step();
    EXPECT_TRUE(step.ok() && step->finite);
    trained.losses.push_back(step->loss);
  }
  auto evaluation = (*trainer)->Evaluate();
  EXPECT_TRUE(evaluation.ok()) << evaluation.status();
  trained.evaluation = *std::move(evaluation);
  return trained;
}

bool SameBits(const Trained& a, const Trained& b) {
  return a.losses == b.losses && a.evaluation.activity.size() == b.evaluation.activity.size() &&
         std::memcmp(a.evaluation.activity.data(), b.evaluation.activity.data(),
                     a.evaluation.activity.size() * sizeof(float)) == 0;
}

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  }
  return largest;
}

double Mean(std::vector<double>::const_iterator from, std::vector<double>::const_iterator to) {
  return std::accumulate(from, to, 0.0) / static_cast<double>(to - from);
}

class EveryNetwork : public testing::TestWithParam<RnnType> {};
INSTANTIATE_TEST_SUITE_P(Types, EveryNetwork,
                         testing::Values(RnnType::kRnn, RnnType::kSrnn, RnnType::kGru,
                                         RnnType::kLstm, RnnType::kUgrnn, RnnType::kBaninoLstm),
                         [](const auto& instance) {
                           return science::ValueText(
                               science::FindParameter("rnn_type")->get(ConfigOf(instance.param)));
                         });

// The loss starts near ln 48 (and ln 12 of head direction) and its floor is the
// targets' own entropy.
TEST_P(EveryNetwork, LearnsATinyTask) {
  RunConfig config = ConfigOf(GetParam(), 120);
  config.n_head_direction_cells = 12;
  const Trained trained = Train(config);
  const auto& losses = trained.losses;
  EXPECT_NEAR(losses.front(), std::log(48) + std::log(12), 0.5);
  EXPECT_LT(Mean(losses.end() - 10, losses.end()), losses.front() - 0.4);
  const Evaluation before = Train(ConfigOf(GetParam(), 0)).evaluation;
  EXPECT_LT(trained.evaluation.pos_err_published, before.pos_err_published - 10);
}

TEST_P(EveryNetwork, GivesTheSameBitsTwice) {
  RunConfig config = ConfigOf(GetParam(), 12);
  config.dropout_mode = DropoutMode::kKeras;
  config.readout_dropout = config.recurrent_dropout = 0.2;
  config.n_head_direction_cells = 12;
  config.n_train_trajectories = 70;
  EXPECT_TRUE(SameBits(Train(config), Train(config)));
}

TEST_P(EveryNetwork, DropsInTrainingAndNotInEvaluation) {
  RunConfig config = ConfigOf(GetParam(), 0);
  const Evaluation whole = Train(config).evaluation;
  config.readout_dropout = config.recurrent_dropout = 0.5;
  for (const DropoutMode mode : {DropoutMode::kKeras, DropoutMode::kReadout}) {
    config.dropout_mode = mode;
    config.n_epochs = 0;
    const Evaluation untrained = Train(config).evaluation;
    EXPECT_EQ(untrained.activity, whole.activity);
    EXPECT_EQ(untrained.pos_err_published, whole.pos_err_published);
    config.n_epochs = 1;
    config.n_grad_steps_per_epoch = 5;
    RunConfig without = config;
    without.dropout_mode = DropoutMode::kPublished;
    EXPECT_NE(Train(config).losses, Train(without).losses);
  }
}

TEST(Training, HeadDirectionAddsItsCrossEntropyToTheLoss) {
  RunConfig config = ConfigOf(RnnType::kSrnn, 1);
  const double place = Train(config).losses[0];
  config.n_head_direction_cells = 12;
  const double both = Train(config).losses[0];
  // An untrained head says little, so its cross-entropy is about ln 12.
  EXPECT_NEAR(both - place, std::log(12), 0.2);
}

// 40 walks in batches of 20: the loss of step 2 k is on the walks that those of
// step 2 k + 1 left; with a learning rate of nearly 0, every epoch's sum is the same.
TEST(Training, FixedTrajectoriesComeBackEveryEpoch) {
  RunConfig config = ConfigOf(RnnType::kRnn, 12);
  config.n_train_trajectories = 40;
  config.learning_rate = 1e-30;
  const std::vector<double> losses = Train(config).losses;
  std::set<double> firsts;
  for (size_t epoch = 0; epoch < 6; ++epoch) {
    EXPECT_NEAR(losses[2 * epoch] + losses[2 * epoch + 1], losses[0] + losses[1], 1e-4);
    firsts.insert(losses[2 * epoch]);
  }
  EXPECT_EQ(firsts.size(), 6u);  // reshuffled each time
}

TEST(Training, ClippingAllGradientsHoldsEveryWeightStill) {
  RunConfig config = ConfigOf(RnnType::kLstm, 3);
  config.learning_rate = 1e-2;
  const Trained free = Train(config);
  config.gradient_clip = 1e-13;  // far below Adam's epsilon: steps of 1e-6 learning rates
  const Trained clipped = Train(config);
  config.n_epochs = 0;
  const Evaluation untrained = Train(config).evaluation;
  EXPECT_GT(LargestDifference(free.evaluation.activity, untrained.activity), 1e-3);
  EXPECT_LT(LargestDifference(clipped.evaluation.activity, untrained.activity), 1e-5);
}

// The units of one step on do not depend on the heads' step; the next loss does.
TEST(Training, ClippingTheHeadsLeavesTheOthersFree) {
  RunConfig config = ConfigOf(RnnType::kBaninoLstm, 1);
  config.n_head_direction_cells = 12;
  config.learning_rate = 1e-2;
  const Trained free = Train(config);
  config.gradient_clip = 1e-13;
  config.gradient_clip_scope = ClipScope::kHeads;
  const Trained clipped = Train(config);
  EXPECT_EQ(free.evaluation.activity, clipped.evaluation.activity);
  config.n_grad_steps_per_epoch = 2;
  const double next_clipped = Train(config).losses[1];
  config.gradient_clip = 0;
  EXPECT_NE(Train(config).losses[1], next_clipped);
}

// The sum of squares of the recurrent kernel, in BaninoLSTM half the heads'.
TEST(Training, WeightDecayIsInTheLoss) {
  for (const auto& [type, squares] :
       {std::pair{RnnType::kRnn, 32.0 * 32 * 2 / 64}, std::pair{RnnType::kGru, 32.0 * 96 * 2 / 128},
        std::pair{RnnType::kUgrnn, 32.0 * 64 * 2 / 128},
        std::pair{RnnType::kBaninoLstm, 0.5 * 32 * 48 * 2 / 80}}) {
    RunConfig config = ConfigOf(type, 1);
    config.weight_decay = 0;
    const double bare = Train(config).losses[0];
    config.weight_decay = 0.1;
    // Glorot's variance is 2 / (fan in + fan out); 10% is over five standard errors.
    EXPECT_NEAR(Train(config).losses[0] - bare, 0.1 * squares, 0.1 * 0.1 * squares);
  }
}

TEST(Training, HeadDirectionCellsAreAmongTheReadoutsParameters) {
  RunConfig config = ConfigOf(RnnType::kGru, 0);
  config.n_head_direction_cells = 12;
  const auto trainer = Trainer::Create(config);
  ASSERT_TRUE(trainer.ok());
  EXPECT_EQ((*trainer)->readout_parameters().head_directions.size(), 12u);
}

}  // namespace
}  // namespace gridsweep::integrator

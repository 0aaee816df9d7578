#include "science/integrator/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Loss;
using science::Normalization;
using science::Readout;
using science::RunConfig;
using ::testing::HasSubstr;

const bool kOneThread = [] {
  UseOneThreadPerSlot();
  return true;
}();

RunConfig SmallConfig() {
  RunConfig config;
  config.Ng = 32;
  config.Np = 48;
  config.batch_size = 20;
  config.sequence_length = 10;
  config.eval_sequence_length = 15;
  config.eval_batches = 2;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 40;
  config.learning_rate = 2e-3;
  config.place_cell_rf = Draw::Constant(0.2);
  return config;
}

RunConfig CartesianConfig() {
  RunConfig config = SmallConfig();
  config.place_field_values = Readout::kCartesian;
  config.place_field_normalization = Normalization::kNone;
  config.place_field_loss = Loss::kMse;
  config.Np = 2;
  return config;
}

std::unique_ptr<Trainer> Make(const RunConfig& config) {
  auto trainer = Trainer::Create(config);
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  return trainer.ok() ? *std::move(trainer) : nullptr;
}

// Trains to the end and evaluates.
Evaluation TrainAndEvaluate(const RunConfig& config) {
  auto trainer = Make(config);
  for (int64_t i = 0; i < config.TotalSteps(); ++i) {
    const auto step = trainer->Step();
    EXPECT_TRUE(step.ok() && step->finite);
  }
  auto evaluation = trainer->Evaluate();
  EXPECT_TRUE(evaluation.ok()) << evaluation.status();
  return *std::move(evaluation);
}

bool SameBits(const Evaluation& a, const Evaluation& b) {
  return a.activity.size() == b.activity.size() &&
         std::memcmp(a.activity.data(), b.activity.data(), a.activity.size() * sizeof(float)) ==
             0 &&
         a.positions == b.positions && a.pos_err_published == b.pos_err_published &&
         a.pos_err_template == b.pos_err_template;
}

TEST(Trainer, TheSameConfigGivesTheSameBits) {
  EXPECT_TRUE(SameBits(TrainAndEvaluate(SmallConfig()), TrainAndEvaluate(SmallConfig())));
}

TEST(Trainer, AnotherSeedGivesOtherBits) {
  RunConfig other = SmallConfig();
  other.seed = 1;
  EXPECT_FALSE(SameBits(TrainAndEvaluate(SmallConfig()), TrainAndEvaluate(other)));
}

TEST(Trainer, CompanyInAnotherThreadDoesNotChangeTheBits) {
  const Evaluation alone = TrainAndEvaluate(SmallConfig());
  Evaluation first, second;
  RunConfig other = SmallConfig();
  other.Ng = 40;
  std::thread company([&] { second = TrainAndEvaluate(other); });
  first = TrainAndEvaluate(SmallConfig());
  company.join();
  EXPECT_TRUE(SameBits(alone, first));
  EXPECT_TRUE(SameBits(TrainAndEvaluate(other), second));
}

TEST(Trainer, EvaluatesTheSameWalksEachTimeAndDoesNotTrain) {
  auto trainer = Make(SmallConfig());
  const auto before = *trainer->Evaluate();
  EXPECT_TRUE(SameBits(before, *trainer->Evaluate()));
  ASSERT_TRUE(trainer->Step().ok());
  const auto after = *trainer->Evaluate();
  EXPECT_EQ(before.positions, after.positions);
  EXPECT_NE(before.activity, after.activity);
}

TEST(Trainer, EvaluationReturnsEverySample) {
  auto trainer = Make(SmallConfig());
  std::vector<int64_t> batches;
  const auto evaluation = trainer->Evaluate([&](int64_t done) {
    batches.push_back(done);
    return true;
  });
  ASSERT_TRUE(evaluation.ok());
  EXPECT_EQ(evaluation->samples, 2 * 15 * 20);
  EXPECT_EQ(evaluation->positions.size(), 600u * 2);
  EXPECT_EQ(evaluation->activity.size(), 600u * 32);
  EXPECT_THAT(batches, testing::ElementsAre(1, 2));
}

TEST(Trainer, EvaluationStopsWhenTold) {
  auto trainer = Make(SmallConfig());
  EXPECT_EQ(trainer->Evaluate([](int64_t) { return false; }).status().code(),
            absl::StatusCode::kCancelled);
}

TEST(Trainer, CountsItsStepsAndEndsAtTheLast) {
  RunConfig config = SmallConfig();
  config.n_grad_steps_per_epoch = 2;
  auto trainer = Make(config);
  EXPECT_EQ(trainer->step(), 0u);
  ASSERT_TRUE(trainer->Step().ok());
  ASSERT_TRUE(trainer->Step().ok());
  EXPECT_EQ(trainer->step(), 2u);
  EXPECT_EQ(trainer->Step().status().code(), absl::StatusCode::kOutOfRange);
}

TEST(Trainer, NoEpochsEvaluateAnUntrainedNetwork) {
  RunConfig config = SmallConfig();
  config.n_epochs = 0;
  const Evaluation evaluation = TrainAndEvaluate(config);
  EXPECT_GT(evaluation.pos_err_published, 40);
  EXPECT_TRUE(std::isfinite(evaluation.pos_err_published));
}

TEST(Trainer, ADivergedStepIsAResultAndLeavesTheWeights) {
  RunConfig config = CartesianConfig();
  config.activation = science::Activation::kLinear;
  config.learning_rate = 1e12;
  auto trainer = Make(config);
  bool diverged = false;
  for (int i = 0; i < 40 && !diverged; ++i) {
    const uint64_t before = trainer->step();
    const auto step = trainer->Step();
    ASSERT_TRUE(step.ok()) << step.status();
    diverged = !step->finite;
    if (diverged) {
      EXPECT_FALSE(std::isfinite(step->loss));
      EXPECT_EQ(trainer->step(), before);
    }
  }
  ASSERT_TRUE(diverged);
  const auto first = trainer->Evaluate();
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(trainer->Step().ok());
  const auto second = trainer->Evaluate();
  EXPECT_EQ(std::memcmp(first->activity.data(), second->activity.data(),
                        first->activity.size() * sizeof(float)),
            0);
}

TEST(Trainer, WithoutPlaceCellsOnlyTheLinearDecoderSpeaks) {
  const Evaluation evaluation = TrainAndEvaluate(CartesianConfig());
  EXPECT_FALSE(evaluation.pos_err_most_active.has_value());
  EXPECT_FALSE(evaluation.pos_err_template.has_value());
  EXPECT_NEAR(evaluation.pos_err_target, 0, 1e-4);
}

TEST(Trainer, PublishedDropoutRatesHaveNoEffect) {
  RunConfig config = SmallConfig();
  config.readout_dropout = 0.5;
  config.recurrent_dropout = 0.5;
  EXPECT_TRUE(SameBits(TrainAndEvaluate(SmallConfig()), TrainAndEvaluate(config)));
}

TEST(CanTrain, NamesTheParameterThatItRefuses) {
  RunConfig config = SmallConfig();
  config.rnn_type = science::RnnType::kLstm;
  const absl::Status status = CanTrain(config);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("rnn_type: \"LSTM\""));
  EXPECT_EQ(Trainer::Create(config).status(), status);
}

TEST(NumericsId, NamesDeviceLibrariesAndPrecision) {
  EXPECT_THAT(NumericsId(), testing::MatchesRegex("cpu:.+;torch-[0-9.]+.*;f32;unpacked"));
}

}  // namespace
}  // namespace gridsweep::integrator

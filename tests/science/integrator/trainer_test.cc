#include "science/integrator/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Loss;
using science::Normalization;
using science::Readout;
using science::RunConfig;
using ::testing::HasSubstr;

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

TEST(Trainer, WithoutPlaceCellsOnlyTheInvertedMapSpeaks) {
  for (Readout readout :
       {Readout::kCartesian, Readout::kHighDimCartesian, Readout::kPolar, Readout::kHighDimPolar}) {
    RunConfig config = CartesianConfig();
    config.place_field_values = readout;
    if (readout == Readout::kHighDimCartesian || readout == Readout::kHighDimPolar) {
      config.Np = 48;
    }
    const Evaluation evaluation = TrainAndEvaluate(config);
    EXPECT_FALSE(evaluation.pos_err_most_active.has_value());
    EXPECT_FALSE(evaluation.pos_err_template.has_value());
    EXPECT_TRUE(std::isfinite(evaluation.pos_err_published));
    // 24 random angles leave gaps; the other maps are one to one.
    EXPECT_NEAR(evaluation.pos_err_target, 0, readout == Readout::kHighDimPolar ? 30 : 1e-4);
  }
}

// Every readout, with a loss that it may have.
struct Task {
  Readout readout;
  Loss loss;
  int64_t outputs = 48;
  Normalization normalization = Normalization::kGlobal;
};
class Tasks : public testing::TestWithParam<Task> {};
INSTANTIATE_TEST_SUITE_P(
    All, Tasks,
    testing::Values(Task{Readout::kCartesian, Loss::kMse, 2}, Task{Readout::kPolar, Loss::kMse, 2},
                    Task{Readout::kPolar, Loss::kPolarMse, 2},
                    Task{Readout::kHighDimCartesian, Loss::kMse},
                    Task{Readout::kHighDimPolar, Loss::kMse},
                    Task{Readout::kGaussian, Loss::kCrossEntropy},
                    Task{Readout::kGaussian, Loss::kBinaryCrossEntropy, 48, Normalization::kNone},
                    Task{Readout::kGaussian, Loss::kMse, 48, Normalization::kNone},
                    Task{Readout::kDifferenceOfGaussians, Loss::kCrossEntropy},
                    Task{Readout::kDifferenceOfGaussians, Loss::kBinaryCrossEntropy},
                    Task{Readout::kTrueDifferenceOfGaussians, Loss::kCrossEntropy},
                    Task{Readout::kGeneralDifferenceOfGaussians, Loss::kCrossEntropy},
                    Task{Readout::kSoftmaxOfDifferences, Loss::kCrossEntropy}));

// Mean loss of the first and of the last ten of `steps` steps.
std::pair<double, double> LossAtBothEnds(RunConfig config, int64_t steps) {
  config.n_grad_steps_per_epoch = steps;
  auto trainer = Make(config);
  double first = 0, last = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const auto step = trainer->Step();
    EXPECT_TRUE(step.ok() && step->finite);
    if (i < 10) first += step->loss / 10;
    if (i >= steps - 10) last += step->loss / 10;
  }
  return {first, last};
}

TEST_P(Tasks, AreLearned) {
  RunConfig config = SmallConfig();
  config.place_field_values = GetParam().readout;
  config.place_field_loss = GetParam().loss;
  config.place_field_normalization = GetParam().normalization;
  config.Np = GetParam().outputs;
  config.place_cell_alpha_e = 1;
  config.place_cell_alpha_i = 0.3;
  config.weight_decay = 0;
  config.n_place_fields_per_cell = Draw::Poisson(1);
  const auto [first, last] = LossAtBothEnds(config, 150);
  EXPECT_LT(last, first);
}

TEST(Trainer, EveryOptimizerLearns) {
  RunConfig config = CartesianConfig();
  config.weight_decay = 0;
  const std::pair<science::Optimizer, double> rates[] = {{science::Optimizer::kAdam, 2e-3},
                                                         {science::Optimizer::kRmsprop, 1e-3},
                                                         {science::Optimizer::kSgd, 0.2},
                                                         {science::Optimizer::kAdagrad, 0.05}};
  for (const auto& [optimizer, rate] : rates) {
    config.optimizer = optimizer;
    config.learning_rate = rate;
    const auto [first, last] = LossAtBothEnds(config, 200);
    EXPECT_LT(last, 0.5 * first) << static_cast<int>(optimizer);
  }
}

TEST(Trainer, MomentumIsRmspropsOwn) {
  RunConfig config = SmallConfig();
  config.optimizer = science::Optimizer::kRmsprop;
  const Evaluation without = TrainAndEvaluate(config);
  config.momentum = 0.5;
  EXPECT_FALSE(SameBits(TrainAndEvaluate(config), without));
}

// So small a bound that no weight moves.
TEST(Trainer, ClipsEveryGradientOrThoseOfTheHeadAlone) {
  RunConfig config = SmallConfig();
  config.optimizer = science::Optimizer::kSgd;
  config.gradient_clip = 1e-30;
  const Evaluation clipped = TrainAndEvaluate(config);
  config.gradient_clip_scope = science::ClipScope::kHeads;
  const Evaluation heads = TrainAndEvaluate(config);
  config.n_epochs = 0;
  const Evaluation untrained = TrainAndEvaluate(config);
  EXPECT_TRUE(SameBits(clipped, untrained));
  EXPECT_NE(heads.activity, untrained.activity);
}

// A trainer of `config` after `steps` steps.
std::unique_ptr<Trainer> After(const RunConfig& config, int steps) {
  auto trainer = Make(config);
  for (int i = 0; i < steps; ++i) EXPECT_TRUE(trainer->Step().ok());
  return trainer;
}

TEST(Trainer, GoesOnFromARestoredState) {
  const RunConfig config = SmallConfig();
  const auto one = After(config, 7);
  const TrainingState state = one->state();
  const auto other = After(config, 2);
  ASSERT_TRUE(other->Restore(state).ok());
  EXPECT_EQ(other->step(), 7u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one->Step()->loss, other->Step()->loss);
  EXPECT_TRUE(SameBits(*one->Evaluate(), *other->Evaluate()));
}

TEST(Trainer, RefusesAStateThatIsNotItsOwn) {
  const RunConfig config = SmallConfig();
  const TrainingState state = After(config, 3)->state();
  RunConfig larger = config, sgd = config, shorter = config, lstm = config;
  larger.Ng = 33;
  sgd.optimizer = science::Optimizer::kSgd;
  shorter.n_grad_steps_per_epoch = 2;
  lstm.rnn_type = science::RnnType::kLstm;
  for (const RunConfig& other : {larger, sgd, shorter, lstm}) {
    const auto trainer = After(other, 1);
    const Evaluation before = *trainer->Evaluate();
    EXPECT_EQ(trainer->Restore(state).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(trainer->step(), 1u);
    EXPECT_TRUE(SameBits(before, *trainer->Evaluate()));
  }
}

TEST(Trainer, PublishedDropoutRatesHaveNoEffect) {
  RunConfig config = SmallConfig();
  config.readout_dropout = 0.5;
  config.recurrent_dropout = 0.5;
  EXPECT_TRUE(SameBits(TrainAndEvaluate(SmallConfig()), TrainAndEvaluate(config)));
}

TEST(NumericsId, NamesDeviceLibrariesAndPrecision) {
  EXPECT_THAT(NumericsId(), testing::MatchesRegex(
                                "(cuda:[^ ;]+-cublas-[0-9.]+;)?cpu:(openblas-[0-9.]+-|mkl-[0-9.]+"
                                "-|blas)[^ ;]*;torch-[0-9.]+[^ ;]*;f32;unpacked"));
  EXPECT_EQ(NumericsId().starts_with("cuda:"), UsesGpu());
}

// The loss of one step, with and without the term that weight decay adds.
TEST(Trainer, RecurrentKernelSquareIsWhatWeightDecayMultiplies) {
  RunConfig config = SmallConfig();
  config.weight_decay = 0;
  const auto plain = Make(config);
  config.weight_decay = 0.5;
  const auto decaying = Make(config);
  const double square = decaying->kernel_squares().recurrent;
  EXPECT_GT(square, 1);
  EXPECT_NEAR(decaying->Step()->loss - plain->Step()->loss, 0.5 * square, 1e-5 * square);
  // The step has changed the weights.
  EXPECT_NE(decaying->kernel_squares().recurrent, square);
}

TEST(Trainer, KernelSquaresAreThoseOfTheInitialisers) {
  RunConfig config = SmallConfig();
  config.Ng = 400;
  config.initializer = science::Initializer::kOrthogonal;
  const KernelSquares squares = Make(config)->kernel_squares();
  EXPECT_NEAR(squares.recurrent, 400, 1e-3);  // orthonormal rows
  // glorot_uniform over 2 x 400: variance 2 / (2 + 400) each.
  EXPECT_NEAR(squares.input, 800 * 2.0 / 402, 0.5);
}

}  // namespace
}  // namespace gridsweep::integrator

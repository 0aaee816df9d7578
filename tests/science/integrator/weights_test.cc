#include "science/integrator/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "science/config/parameters.h"

namespace gridsweep::integrator {
namespace {

using science::Initializer;
using science::RnnType;
using science::RunConfig;

constexpr RnnType kTypes[] = {RnnType::kRnn,  RnnType::kSrnn,  RnnType::kGru,
                              RnnType::kLstm, RnnType::kUgrnn, RnnType::kBaninoLstm};

RunConfig ConfigOf(RnnType type) {
  RunConfig config;
  config.rnn_type = type;
  config.Ng = 64;
  config.Np = 48;
  config.lstm_units = 40;
  config.n_head_direction_cells = 12;
  return config;
}

at::Tensor ValueOf(const std::vector<Weight>& weights, const std::string& name) {
  for (const Weight& weight : weights) {
    if (weight.name == name) return weight.value.to(at::kDouble);
  }
  ADD_FAILURE() << "no weight " << name;
  return at::zeros({1, 1}, at::kDouble);
}

// "name rows x columns", "name size": what a network consists of.
std::vector<std::string> Shapes(const RunConfig& config) {
  std::vector<std::string> shapes;
  for (const Weight& weight : DrawWeights(config)) {
    std::string shape = weight.name + " " + std::to_string(weight.value.size(0));
    if (weight.value.dim() == 2) shape += " x " + std::to_string(weight.value.size(1));
    shapes.push_back(shape);
    EXPECT_EQ(weight.gradient.sizes(), weight.value.sizes()) << weight.name;
    EXPECT_EQ(weight.value.scalar_type(), at::kFloat) << weight.name;
    EXPECT_TRUE(weight.value.is_contiguous()) << weight.name;
  }
  return shapes;
}

double Largest(const at::Tensor& values) { return values.abs().max().item<double>(); }

TEST(DrawWeights, TheRnnHasNoBiases) {
  EXPECT_THAT(
      Shapes(ConfigOf(RnnType::kRnn)),
      testing::UnorderedElementsAre("encoder.kernel 48 x 64", "recurrent_input.kernel 2 x 64",
                                    "recurrent.kernel 64 x 64", "place_head.kernel 64 x 48",
                                    "head_direction_head.kernel 64 x 12"));
}

// What the networks of three layers share.
std::vector<std::string> Layered(std::vector<std::string> recurrent) {
  for (const char* shape :
       {"encoder.kernel 48 x 64", "encoder.bias 64", "input.kernel 2 x 64", "input.bias 64",
        "dense.kernel 64 x 64", "dense.bias 64", "place_head.kernel 64 x 48", "place_head.bias 48",
        "head_direction_head.kernel 64 x 12", "head_direction_head.bias 12"}) {
    recurrent.push_back(shape);
  }
  return recurrent;
}

TEST(DrawWeights, OthersHaveThreeLayersWithBiases) {
  EXPECT_THAT(Shapes(ConfigOf(RnnType::kSrnn)),
              testing::UnorderedElementsAreArray(
                  Layered({"recurrent_input.kernel 64 x 64", "recurrent.kernel 64 x 64"})));
  EXPECT_THAT(Shapes(ConfigOf(RnnType::kGru)),
              testing::UnorderedElementsAreArray(
                  Layered({"recurrent_input.kernel 64 x 192", "recurrent_input.bias 192",
                           "recurrent.kernel 64 x 192", "recurrent.bias 192"})));
  EXPECT_THAT(
      Shapes(ConfigOf(RnnType::kLstm)),
      testing::UnorderedElementsAreArray(Layered(
          {"cell_encoder.kernel 48 x 64", "cell_encoder.bias 64", "recurrent_input.kernel 64 x 256",
           "recurrent_input.bias 256", "recurrent.kernel 64 x 256"})));
  EXPECT_THAT(Shapes(ConfigOf(RnnType::kUgrnn)),
              testing::UnorderedElementsAreArray(
                  Layered({"recurrent_input.kernel 64 x 128", "recurrent_input.bias 128",
                           "recurrent.kernel 64 x 128"})));
}

TEST(DrawWeights, BaninoLstmHasABottleneckAndEncodersOfBothActivities) {
  std::vector<std::string> shapes = {
      "encoder.kernel 60 x 40",    "cell_encoder.kernel 60 x 40",
      "dense.kernel 40 x 64",      "recurrent_input.kernel 3 x 160",
      "recurrent_input.bias 160",  "recurrent.kernel 40 x 160",
      "place_head.kernel 64 x 48", "head_direction_head.kernel 64 x 12",
      "place_head.bias 48",        "head_direction_head.bias 12"};
  RunConfig config = ConfigOf(RnnType::kBaninoLstm);
  config.bottleneck_bias = false;
  EXPECT_THAT(Shapes(config), testing::UnorderedElementsAreArray(shapes));
  config.bottleneck_bias = true;
  shapes.push_back("dense.bias 64");
  EXPECT_THAT(Shapes(config), testing::UnorderedElementsAreArray(shapes));
}

// The kernels that take part in every step, against the cost formula: 3 * 2 flop
// a multiply-add. The network's inputs are 2 or 3, too few to count there.
TEST(DrawWeights, TheirSizeIsWhatTrainingCosts) {
  for (const RnnType type : kTypes) {
    RunConfig config = ConfigOf(type);
    config.batch_size = 7;
    config.sequence_length = 5;
    config.n_epochs = 3;
    config.n_grad_steps_per_epoch = 11;
    int64_t products = 0;
    for (const Weight& weight : DrawWeights(config)) {
      const bool start = weight.name.find("encoder") != std::string::npos;
      if (weight.value.dim() == 2 && !start && weight.value.size(0) > 3) {
        products += weight.value.numel();
      }
    }
    EXPECT_DOUBLE_EQ(science::TrainingFlop(config),
                     3.0 * 2 * 7 * 5 * static_cast<double>(products) * 33)
        << static_cast<int>(type);
  }
}

TEST(DrawWeights, BiasesAreZeroButTheForgetGates) {
  for (const RnnType type : kTypes) {
    for (const Weight& weight : DrawWeights(ConfigOf(type))) {
      if (weight.value.dim() != 1) continue;
      const bool lstm = type == RnnType::kLstm || type == RnnType::kBaninoLstm;
      if (!lstm || weight.name != "recurrent_input.bias") {
        EXPECT_EQ(Largest(weight.value), 0) << weight.name;
        continue;
      }
      const int64_t n = weight.value.numel() / 4;
      EXPECT_TRUE(weight.value.narrow(0, n, n).equal(at::ones({n})));
      EXPECT_EQ(Largest(weight.value.narrow(0, 0, n)), 0);
      EXPECT_EQ(Largest(weight.value.narrow(0, 2 * n, 2 * n)), 0);
    }
  }
}

// Every kernel but the recurrent one, whatever the initializer is; fans are of the
// whole matrix, its gates side by side.
TEST(DrawWeights, KernelsAreGlorotUniform) {
  for (const RnnType type : kTypes) {
    RunConfig config = ConfigOf(type);
    config.initializer = Initializer::kOrthogonal;
    for (const Weight& weight : DrawWeights(config)) {
      if (weight.value.dim() != 2 || weight.name == "recurrent.kernel") continue;
      if (type == RnnType::kUgrnn && weight.name == "recurrent_input.kernel") continue;
      const double fans = static_cast<double>(weight.value.size(0) + weight.value.size(1));
      const double limit = std::sqrt(6 / fans);
      EXPECT_LE(Largest(weight.value), limit * (1 + 1e-6)) << weight.name;
      EXPECT_GT(Largest(weight.value), 0.95 * limit) << weight.name;
      EXPECT_NEAR(std::sqrt(weight.value.square().mean().item<double>()), limit / std::sqrt(3),
                  0.08 * limit)
          << weight.name;
    }
  }
}

TEST(DrawWeights, RecurrentKernelsAreAsTheInitializerSays) {
  for (const auto& [type, gates] : {std::pair{RnnType::kRnn, 1},
                                    {RnnType::kSrnn, 1},
                                    {RnnType::kGru, 3},
                                    {RnnType::kLstm, 4}}) {
    RunConfig config = ConfigOf(type);
    const double fans = 64 * (1 + gates);
    const at::Tensor uniform = ValueOf(DrawWeights(config), "recurrent.kernel");
    EXPECT_LE(Largest(uniform), std::sqrt(6 / fans) * (1 + 1e-6));
    EXPECT_GT(Largest(uniform), 0.99 * std::sqrt(6 / fans));
    config.initializer = Initializer::kGlorotNormal;
    const at::Tensor normal = ValueOf(DrawWeights(config), "recurrent.kernel");
    EXPECT_NEAR(normal.square().mean().item<double>(), 2 / fans, 0.1 * 2 / fans);
    EXPECT_GT(Largest(normal), 1.9 * std::sqrt(2 / fans) / 0.8796);
    config.initializer = Initializer::kOrthogonal;
    const at::Tensor rows = ValueOf(DrawWeights(config), "recurrent.kernel");
    EXPECT_LT(Largest(rows.matmul(rows.t()) - at::eye(64, at::kDouble)), 1e-6);
  }
}

// The halves of UGRNN's K; K as a whole is square, so orthogonal both ways.
TEST(DrawWeights, UgrnnsKernelIsDrawnWhole) {
  RunConfig config = ConfigOf(RnnType::kUgrnn);
  auto whole = [&] {
    const std::vector<Weight> weights = DrawWeights(config);
    return at::cat(
        {ValueOf(weights, "recurrent_input.kernel"), ValueOf(weights, "recurrent.kernel")});
  };
  EXPECT_LE(Largest(whole()), std::sqrt(6.0 / 256) * (1 + 1e-6));
  EXPECT_GT(Largest(whole()), 0.99 * std::sqrt(6.0 / 256));
  config.initializer = Initializer::kOrthogonal;
  const at::Tensor k = whole();
  EXPECT_LT(Largest(k.matmul(k.t()) - at::eye(128, at::kDouble)), 1e-6);
  EXPECT_LT(Largest(k.t().matmul(k) - at::eye(128, at::kDouble)), 1e-6);
}

TEST(DrawWeights, NoTwoMatricesAreDrawnAlike) {
  const std::vector<Weight> weights = DrawWeights(ConfigOf(RnnType::kLstm));
  for (size_t i = 0; i < weights.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (weights[i].value.dim() != 2 || weights[j].value.dim() != 2) continue;
      const double a = weights[i].value.data_ptr<float>()[0] / Largest(weights[i].value);
      const double b = weights[j].value.data_ptr<float>()[0] / Largest(weights[j].value);
      EXPECT_GT(std::abs(a - b), 1e-4) << weights[i].name << ", " << weights[j].name;
    }
  }
}

TEST(DrawWeights, DecayIsOnTheRecurrentKernelAndInBaninoLstmOnTheHeads) {
  for (const RnnType type : kTypes) {
    for (const Weight& weight : DrawWeights(ConfigOf(type))) {
      const bool head_kernel =
          weight.name == "place_head.kernel" || weight.name == "head_direction_head.kernel";
      double decay = weight.name == "recurrent.kernel" ? 1 : 0;
      if (type == RnnType::kBaninoLstm) decay = head_kernel ? 0.5 : 0;
      EXPECT_EQ(weight.decay, decay) << weight.name;
      EXPECT_EQ(weight.head, weight.name.find("_head.") != std::string::npos) << weight.name;
    }
  }
}

TEST(DrawWeights, DependOnTheSeedAlone) {
  RunConfig config = ConfigOf(RnnType::kGru);
  const at::Tensor first = ValueOf(DrawWeights(config), "recurrent.kernel");
  config.batch_size = 7;
  EXPECT_TRUE(first.equal(ValueOf(DrawWeights(config), "recurrent.kernel")));
  config.seed = 1;
  EXPECT_FALSE(first.equal(ValueOf(DrawWeights(config), "recurrent.kernel")));
}

}  // namespace
}  // namespace gridsweep::integrator

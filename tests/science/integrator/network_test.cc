#include "science/integrator/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "science/config/parameters.h"
#include "science/integrator/loss.h"
#include "science/integrator/philox.h"
#include "tests/science/integrator/reference_network.h"

namespace gridsweep::integrator {
namespace {

using science::Activation;
using science::DropoutMode;
using science::RnnType;
using science::RunConfig;

constexpr int64_t kUnits = 6, kLstmUnits = 4, kOutputs = 5, kDirections = 3, kSteps = 4, kBatch = 3;

RunConfig ConfigOf(RnnType type, Activation activation, int64_t directions = 0) {
  RunConfig config;
  config.rnn_type = type;
  config.activation = activation;
  config.Ng = kUnits;
  config.Np = kOutputs;
  config.lstm_units = kLstmUnits;
  config.n_head_direction_cells = directions;
  config.sequence_length = kSteps;
  config.batch_size = kBatch;
  return config;
}

at::Tensor Normals(at::IntArrayRef shape, uint64_t which, double scale) {
  at::Tensor values = at::empty(shape, at::kDouble);
  const Random random(1, Stream::kWeights, which);
  for (int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<double>()[i] = scale * random.Normal(static_cast<uint64_t>(i));
  }
  return values;
}

// Of the right names and shapes, but all random: biases, too.
std::vector<Weight> SomeWeights(const RunConfig& config) {
  std::vector<Weight> weights = DrawWeights(config);
  uint64_t which = 100;
  for (Weight& weight : weights) {
    weight.value = Normals(weight.value.sizes(), which++, 0.6);
    weight.gradient = at::empty_like(weight.value);
  }
  return weights;
}

std::vector<Weight> In(at::ScalarType type, std::vector<Weight> weights) {
  for (Weight& weight : weights) {
    weight.value = weight.value.to(type);
    weight.gradient = at::empty_like(weight.value);
  }
  return weights;
}

void FillInputs(Network& network) {
  network.start().copy_(Normals(network.start().sizes(), 4, 1));
  network.inputs().copy_(Normals(network.inputs().sizes(), 5, 1));
}

DropoutMasks MasksOf(const RunConfig& config) {
  Dropout dropout(config);
  const DropoutMasks& single = dropout.Draw(3);
  auto wide = [](const at::Tensor& mask) {
    return mask.defined() ? mask.to(at::kDouble) : at::Tensor();
  };
  return {wide(single.input), wide(single.recurrent), wide(single.units)};
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

void ExpectReferenceOutputs(const RunConfig& config) {
  const std::vector<Weight> weights = SomeWeights(config);
  const DropoutMasks masks = MasksOf(config);
  Network network(config, weights, kSteps, kBatch);
  FillInputs(network);
  network.Forward(masks);
  auto expect_row = [](const at::Tensor& actual, int64_t row, const std::vector<double>& expected) {
    ASSERT_EQ(actual.size(1), static_cast<int64_t>(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(actual[row][static_cast<int64_t>(i)].item<double>(), expected[i], 1e-11)
          << "row " << row << " column " << i;
    }
  };
  for (int64_t b = 0; b < kBatch; ++b) {
    const ReferenceOutputs expected =
        RunReference(config, weights, network.start(), network.inputs(), masks, kBatch, b);
    for (int64_t t = 0; t < kSteps; ++t) {
      const int64_t row = t * kBatch + b;
      const auto step = static_cast<size_t>(t);
      expect_row(network.units(), row, expected.units[step]);
      expect_row(network.place(), row, expected.place[step]);
      if (config.n_head_direction_cells > 0) {
        expect_row(network.head_direction(), row, expected.direction[step]);
      }
    }
  }
}

// The loss is a fixed random combination of the outputs, plus half their squares.
void ExpectFiniteDifferences(const RunConfig& config) {
  const std::vector<Weight> weights = SomeWeights(config);
  const DropoutMasks masks = MasksOf(config);
  Network network(config, weights, kSteps, kBatch);
  FillInputs(network);
  std::vector<at::Tensor*> outputs = {&network.place()};
  if (config.n_head_direction_cells > 0) outputs.push_back(&network.head_direction());
  std::vector<at::Tensor> mixes;
  for (const at::Tensor* output : outputs) {
    mixes.push_back(Normals(output->sizes(), 6 + mixes.size(), 1));
  }
  auto loss = [&] {
    network.Forward(masks);
    double sum = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      sum += (*outputs[i] * (mixes[i] + 0.5 * *outputs[i])).sum().item<double>();
    }
    return sum;
  };
  loss();
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i]->add_(mixes[i]);
  network.Backward();
  for (const Weight& weight : weights) {
    const at::Tensor gradient = weight.gradient.clone();
    double* theta = weight.value.data_ptr<double>();
    for (int64_t i = 0; i < weight.value.numel(); ++i) {
      const double kept = theta[i];
      theta[i] = kept + 1e-6;
      const double up = loss();
      theta[i] = kept - 1e-6;
      const double down = loss();
      theta[i] = kept;
      const double slope = (up - down) / 2e-6;
      ASSERT_NEAR(gradient.data_ptr<double>()[i], slope, 2e-6 * (1 + std::abs(slope)))
          << weight.name << " element " << i;
    }
  }
}

using Case = std::tuple<RnnType, Activation>;
std::string NameOf(RnnType type, Activation activation) {
  const RunConfig config = ConfigOf(type, activation);
  return science::ValueText(science::FindParameter("rnn_type")->get(config)) + "_" +
         science::ValueText(science::FindParameter("activation")->get(config));
}

constexpr RnnType kTypes[] = {RnnType::kRnn,  RnnType::kSrnn,  RnnType::kGru,
                              RnnType::kLstm, RnnType::kUgrnn, RnnType::kBaninoLstm};

class Networks : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, Networks,
                         testing::Combine(testing::ValuesIn(kTypes),
                                          testing::Values(Activation::kRelu, Activation::kTanh,
                                                          Activation::kSigmoid,
                                                          Activation::kLinear)),
                         [](const auto& instance) {
                           return NameOf(std::get<0>(instance.param), std::get<1>(instance.param));
                         });

TEST_P(Networks, ForwardAgreesWithPlainLoops) {
  ExpectReferenceOutputs(ConfigOf(std::get<0>(GetParam()), std::get<1>(GetParam())));
}

TEST_P(Networks, BackwardAgreesWithFiniteDifferences) {
  ExpectFiniteDifferences(ConfigOf(std::get<0>(GetParam()), std::get<1>(GetParam())));
}

class EveryNetwork : public testing::TestWithParam<RnnType> {
 protected:
  RunConfig Config(int64_t directions = kDirections) const {
    return ConfigOf(GetParam(), Activation::kTanh, directions);
  }
  RunConfig Dropping(DropoutMode mode) const {
    RunConfig config = Config();
    config.dropout_mode = mode;
    config.readout_dropout = 0.4;
    config.recurrent_dropout = 0.3;
    return config;
  }
};
INSTANTIATE_TEST_SUITE_P(Types, EveryNetwork, testing::ValuesIn(kTypes), [](const auto& instance) {
  return science::ValueText(
      science::FindParameter("rnn_type")->get(ConfigOf(instance.param, Activation::kTanh)));
});

TEST_P(EveryNetwork, HasAHeadOfHeadDirection) {
  ExpectReferenceOutputs(Config());
  ExpectFiniteDifferences(Config());
}

TEST_P(EveryNetwork, DropsInputAndStateAsKerasDoes) {
  ExpectReferenceOutputs(Dropping(DropoutMode::kKeras));
  ExpectFiniteDifferences(Dropping(DropoutMode::kKeras));
}

TEST_P(EveryNetwork, DropsUnitsBeforeTheHeads) {
  ExpectReferenceOutputs(Dropping(DropoutMode::kReadout));
  ExpectFiniteDifferences(Dropping(DropoutMode::kReadout));
}

// A whole step as in training, both cross-entropies included, in float32 against
// float64.
TEST_P(EveryNetwork, GradientsOfTheTrainingLossHoldInSinglePrecision) {
  constexpr int64_t kRows = kSteps * kBatch;
  const std::vector<Weight> single = In(at::kFloat, SomeWeights(Config()));
  const std::vector<Weight> wide = In(at::kDouble, single);
  Network network(Config(), single, kSteps, kBatch), reference(Config(), wide, kSteps, kBatch);
  FillInputs(network);
  reference.start().copy_(network.start());
  reference.inputs().copy_(network.inputs());
  network.Forward();
  reference.Forward();
  auto step = [&](at::Tensor& output, at::Tensor& expected, uint64_t which) {
    const at::Tensor y = Normals(output.sizes(), which, 1).softmax(1).to(at::kFloat);
    const double loss =
        CrossEntropy(y.data_ptr<float>(), output.data_ptr<float>(), kRows, output.size(1));
    EXPECT_NEAR(loss, -(y * expected.log_softmax(1)).sum().item<double>() / kRows, 1e-5);
    expected.copy_((expected.softmax(1) - y) / kRows);
  };
  step(network.place(), reference.place(), 7);
  step(network.head_direction(), reference.head_direction(), 8);
  network.Backward();
  reference.Backward();
  for (size_t i = 0; i < single.size(); ++i) {
    EXPECT_LT(Difference(single[i].gradient, wide[i].gradient),
              1e-5 * (1 + wide[i].gradient.abs().max().item<double>()))
        << single[i].name;
  }
}

// Evaluation runs other lengths with the same weights.
TEST_P(EveryNetwork, AShorterPassIsTheBeginningOfALongerOne) {
  const std::vector<Weight> weights = SomeWeights(Config());
  Network network(Config(), weights, kSteps, kBatch), shorter(Config(), weights, 2, kBatch);
  FillInputs(network);
  shorter.start().copy_(network.start());
  shorter.inputs().copy_(network.inputs().narrow(0, 0, 2 * kBatch));
  network.Forward();
  shorter.Forward();
  EXPECT_LT(Difference(shorter.place(), network.place().narrow(0, 0, 2 * kBatch)), 1e-14);
}

TEST(Banino, ItsBottleneckMayHaveNoBias) {
  RunConfig config = ConfigOf(RnnType::kBaninoLstm, Activation::kTanh, kDirections);
  config.bottleneck_bias = false;
  ExpectReferenceOutputs(config);
  ExpectFiniteDifferences(config);
}

}  // namespace
}  // namespace gridsweep::integrator

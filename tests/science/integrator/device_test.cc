#include "science/integrator/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "science/integrator/network.h"
#include "science/integrator/network_inputs.h"
#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using ::testing::HasSubstr;

// Leaves the program's device as it was.
class Device : public testing::Test {
 protected:
  ~Device() override { EXPECT_TRUE(UseDevice(before_).ok()); }
  const std::string before_ = ChosenDevice().str();
};

TEST_F(Device, TheProcessorCanAlwaysBeChosen) {
  ASSERT_TRUE(UseDevice("cpu").ok());
  EXPECT_FALSE(UsesGpu());
  EXPECT_THAT(NumericsId(), testing::StartsWith("cpu:"));
}

TEST_F(Device, AutoIsACudaDeviceWhereThereIsOne) {
  ASSERT_TRUE(UseDevice("auto").ok());
  EXPECT_EQ(UsesGpu(), UseDevice("cuda").ok());
}

TEST_F(Device, WhatDoesNotExistIsRefusedWithWhatWouldDo) {
  for (const char* name : {"", "gpu", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cuda:1234"}) {
    const absl::Status status = UseDevice(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
    EXPECT_THAT(std::string(status.message()), HasSubstr("cuda:N"));
  }
  const absl::Status absent = UseDevice("cuda:999");
  EXPECT_EQ(absent.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(absent.message()), HasSubstr("use auto or cpu"));
  EXPECT_EQ(ChosenDevice().str(), before_);
}

#ifdef GRIDSWEEP_CUDA_TORCH
// Every network, a step forward and back, on the walks of a training step.
TEST_F(Device, NetworksDoThereWhatTheyDoOnTheProcessor) {
  if (!UsesGpu()) GTEST_SKIP() << "no CUDA device";
  using science::RnnType;
  for (const RnnType type : {RnnType::kRnn, RnnType::kSrnn, RnnType::kGru, RnnType::kLstm,
                             RnnType::kUgrnn, RnnType::kBaninoLstm}) {
    science::RunConfig config;
    config.rnn_type = type;
    config.Ng = 40;
    config.Np = 30;
    config.lstm_units = 24;
    config.n_head_direction_cells = 12;
    config.batch_size = 10;
    config.sequence_length = 6;
    config.dropout_mode = science::DropoutMode::kKeras;
    config.readout_dropout = config.recurrent_dropout = 0.2;
    Walks walks;
    DrawWalks(BoxOf(config), Random(1, Stream::kTrain, 0), 6, 10, walks);
    const DropoutMasks masks = Dropout(config).Draw(0);
    auto pass = [&](at::Device device) {
      const std::vector<Weight> weights = On(device, DrawWeights(config));
      Network network(config, weights, 6, 10);
      GiveWalks(walks, ReadoutMap(config), HeadDirectionCells(config), network);
      network.Forward(On(device, masks));
      std::vector<at::Tensor> results = {network.units().cpu().clone()};
      network.Backward();  // as if the outputs were the loss's gradients
      for (const Weight& weight : weights) results.push_back(weight.gradient.cpu());
      return results;
    };
    const auto here = pass(at::kCPU), there = pass(ChosenDevice());
    ASSERT_EQ(here.size(), there.size());
    for (size_t i = 0; i < here.size(); ++i) {
      EXPECT_LT((here[i] - there[i]).abs().max().item<double>(),
                1e-5 * (1 + here[i].abs().max().item<double>()))
          << "rnn_type " << static_cast<int>(type) << " result " << i;
    }
  }
}
#endif

}  // namespace
}  // namespace gridsweep::integrator

#include "science/integrator/network_inputs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gridsweep::integrator {
namespace {

using science::RnnType;
using science::RunConfig;

constexpr int64_t kSteps = 6, kBatch = 4;

RunConfig ConfigOf(RnnType type) {
  RunConfig config;
  config.rnn_type = type;
  config.Ng = 8;
  config.Np = 10;
  config.lstm_units = 5;
  config.n_head_direction_cells = 3;
  config.sequence_length = kSteps;
  config.batch_size = kBatch;
  return config;
}

struct Given {
  Walks walks;
  at::Tensor start, inputs;
};

Given GivenTo(const RunConfig& config) {
  Given given;
  DrawWalks(BoxOf(config), Random(3, Stream::kTrain, 0), kSteps, kBatch, given.walks);
  Network network(config, DrawWeights(config), kSteps, kBatch);
  GiveWalks(given.walks, ReadoutMap(config), HeadDirectionCells(config), network);
  given.start = network.start();
  given.inputs = network.inputs();
  return given;
}

TEST(GiveWalks, GivesVelocitiesAndTheReadoutOfTheStart) {
  const RunConfig config = ConfigOf(RnnType::kGru);
  const Given given = GivenTo(config);
  ASSERT_EQ(given.inputs.sizes(), (at::IntArrayRef{kSteps * kBatch, 2}));
  for (size_t i = 0; i < given.walks.velocity.size(); ++i) {
    EXPECT_EQ(given.inputs.data_ptr<float>()[i], given.walks.velocity[i]);
  }
  std::vector<float> expected(kBatch * 10);
  ReadoutMap(config).Targets(given.walks.start, expected.data());
  ASSERT_EQ(given.start.sizes(), (at::IntArrayRef{kBatch, 10}));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(given.start.data_ptr<float>()[i], expected[i]);
  }
}

// Speed and turn, and the head direction of the start, are all that it takes to
// follow the walk.
TEST(GiveWalks, TellsBaninoLstmEnoughToIntegrateThePath) {
  const RunConfig config = ConfigOf(RnnType::kBaninoLstm);
  const Given given = GivenTo(config);
  ASSERT_EQ(given.inputs.sizes(), (at::IntArrayRef{kSteps * kBatch, 3}));
  for (size_t b = 0; b < kBatch; ++b) {
    double x = given.walks.start[2 * b], y = given.walks.start[2 * b + 1];
    double heading = given.walks.start_heading[b];
    for (size_t t = 0; t < kSteps; ++t) {
      const size_t row = t * kBatch + b;
      const float* input = given.inputs.data_ptr<float>() + 3 * row;
      x += input[0] * std::cos(heading);
      y += input[0] * std::sin(heading);
      heading += std::atan2(input[2], input[1]);
      EXPECT_NEAR(x, given.walks.positions[2 * row], 1e-6);
      EXPECT_NEAR(y, given.walks.positions[2 * row + 1], 1e-6);
      EXPECT_NEAR(std::cos(heading - given.walks.headings[row]), 1, 1e-10);
    }
  }
}

TEST(GiveWalks, StartsBaninoLstmWithBothActivities) {
  const RunConfig config = ConfigOf(RnnType::kBaninoLstm);
  const Given given = GivenTo(config);
  std::vector<float> place(kBatch * 10), direction(kBatch * 3);
  ReadoutMap(config).Targets(given.walks.start, place.data());
  HeadDirectionCells(config).Respond(given.walks.start_heading, direction.data());
  ASSERT_EQ(given.start.sizes(), (at::IntArrayRef{kBatch, 13}));
  for (size_t b = 0; b < kBatch; ++b) {
    const float* row = given.start.data_ptr<float>() + 13 * b;
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(row[i], place[10 * b + i]);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(row[10 + i], direction[3 * b + i]);
  }
}

}  // namespace
}  // namespace gridsweep::integrator

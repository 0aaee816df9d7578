#include "science/integrator/readout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Normalization;
using science::Readout;
using science::RunConfig;

RunConfig Config(Readout readout, int64_t outputs) {
  RunConfig config;
  config.place_field_values = readout;
  config.place_field_normalization = Normalization::kNone;
  config.Np = outputs;
  return config;
}

std::vector<float> TargetsAt(const ReadoutMap& readout, const std::vector<double>& positions) {
  std::vector<float> out(positions.size() / 2 * static_cast<size_t>(readout.outputs()));
  readout.Targets(positions, out.data());
  return out;
}

void ExpectFills(const std::vector<double>& values, double bound) {
  for (double value : values) ASSERT_LE(std::abs(value), bound);
  EXPECT_GT(*std::ranges::max_element(values), 0.9 * bound);
  EXPECT_LT(*std::ranges::min_element(values), -0.9 * bound);
}

TEST(ReadoutMap, CartesianIsThePositionItself) {
  const ReadoutMap readout(Config(Readout::kCartesian, 2));
  EXPECT_EQ(TargetsAt(readout, {0.25, -1, 0.5, 2}), (std::vector<float>{0.25, -1, 0.5, 2}));
  EXPECT_TRUE(readout.parameters().linear_map.empty());
}

TEST(ReadoutMap, HighDimCartesianIsTheStoredLinearMap) {
  const ReadoutMap readout(Config(Readout::kHighDimCartesian, 50));
  const ReadoutParameters& p = readout.parameters();
  const auto out = TargetsAt(readout, {0.3, -0.7});
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_NEAR(out[i], 0.3 * p.linear_map[i] - 0.7 * p.linear_map[50 + i] + p.linear_offset[i],
                1e-6);
  }
  ExpectFills(p.linear_map, 1);
  ExpectFills(p.linear_offset, 1);
}

// One position a quadrant, the axes, and the origin, whose angle is 0.
TEST(ReadoutMap, PolarIsTheRadiusAndTheAngleOfAllFourQuadrants) {
  const ReadoutMap readout(Config(Readout::kPolar, 2));
  const auto out = TargetsAt(
      readout, {0.3, 0.4, -0.3, 0.4, -0.3, -0.4, 0.3, -0.4, 1, 0, 0, 1, -1, 0, 0, -1, 0, 0});
  const double angle = std::acos(0.6), half_turn = std::acos(-1.0);
  const double expected[][2] = {
      {0.5, angle},       {0.5, half_turn - angle}, {0.5, angle - half_turn}, {0.5, -angle}, {1, 0},
      {1, half_turn / 2}, {1, half_turn},           {1, -half_turn / 2},      {0, 0}};
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_NEAR(out[2 * i], expected[i][0], 1e-7) << i;
    EXPECT_NEAR(out[2 * i + 1], expected[i][1], 3e-7) << i;
  }
}

class HighDimPolar : public testing::TestWithParam<int64_t> {};
INSTANTIATE_TEST_SUITE_P(Outputs, HighDimPolar, testing::Values(2, 6, 16, 50, 512));

TEST_P(HighDimPolar, IsALineInTheRadiusAndABumpInTheAngle) {
  const ReadoutMap readout(Config(Readout::kHighDimPolar, GetParam()));
  const ReadoutParameters& p = readout.parameters();
  const auto n = static_cast<size_t>(GetParam()), half = n / 2;
  ASSERT_EQ(p.radius_map.size(), half);
  ASSERT_EQ(p.radius_offset.size(), half);
  ASSERT_EQ(p.preferred_angles.size(), half);
  const Random random(5, Stream::kTrain, 0);
  std::vector<double> positions = {0, 0, -0.5, 0, 0, -0.5};
  for (uint64_t i = 0; i < 20; ++i) {
    const auto u = random.Uniforms(i);
    positions.insert(positions.end(), {2.3 * u[0] - 1.15, 2.3 * u[1] - 1.15});
  }
  const auto out = TargetsAt(readout, positions);
  for (size_t row = 0; row < positions.size() / 2; ++row) {
    const double x = positions[2 * row], y = positions[2 * row + 1];
    for (size_t i = 0; i < half; ++i) {
      EXPECT_NEAR(out[row * n + i], std::sqrt(x * x + y * y) * p.radius_map[i] + p.radius_offset[i],
                  2e-7);
      EXPECT_NEAR(out[row * n + half + i],
                  std::exp(std::cos(std::atan2(y, x) - p.preferred_angles[i])), 2e-6);
    }
  }
}

TEST(ReadoutMap, HighDimPolarDrawsItsParametersFromTheirWholeRanges) {
  const ReadoutMap readout(Config(Readout::kHighDimPolar, 200));
  ExpectFills(readout.parameters().radius_map, 1);
  ExpectFills(readout.parameters().radius_offset, 1);
  ExpectFills(readout.parameters().preferred_angles, std::acos(-1.0));
  RunConfig other = Config(Readout::kHighDimPolar, 200);
  other.seed = 1;
  EXPECT_NE(ReadoutMap(other).parameters().preferred_angles, readout.parameters().preferred_angles);
}

TEST(ReadoutMap, OfPlaceCellsIsTheirResponse) {
  RunConfig config = Config(Readout::kGaussian, 20);
  const ReadoutMap readout(config);
  const PlaceCells cells(config);
  std::vector<float> out(20);
  cells.Respond(std::vector<double>{0.3, -0.7}, out.data());
  EXPECT_EQ(TargetsAt(readout, {0.3, -0.7}), out);
  EXPECT_EQ(readout.parameters().centers, cells.parameters().centers);
}

}  // namespace
}  // namespace gridsweep::integrator

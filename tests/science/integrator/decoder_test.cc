#include "science/integrator/decoder.h"

#include <gtest/gtest.h>

#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;

RunConfig PlaceConfig(int64_t cells) {
  RunConfig config;
  config.place_field_values = Readout::kGaussian;
  config.Np = cells;
  return config;
}

Vec2 CenterOf(const ReadoutMap& readout, size_t cell, size_t field = 0) {
  const ReadoutParameters& p = readout.place_cells()->parameters();
  const size_t at = 2 * (cell * static_cast<size_t>(p.fields) + field);
  return {p.centers[at], p.centers[at + 1]};
}

TEST(Decoder, TheThreeMostActiveCellsVote) {
  const RunConfig config = PlaceConfig(20);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  std::vector<float> activity(20, 0.1f);
  activity[3] = 1, activity[17] = 2, activity[8] = 3, activity[9] = 0.9f;
  const Vec2 a = CenterOf(readout, 3), b = CenterOf(readout, 17), c = CenterOf(readout, 8);
  const Vec2 vote = decoder.Published(activity.data());
  EXPECT_NEAR(vote.x, (a.x + b.x + c.x) / 3, 1e-12);
  EXPECT_NEAR(vote.y, (a.y + b.y + c.y) / 3, 1e-12);
}

TEST(Decoder, TiesOfActivityGoToTheLowerIndex) {
  const RunConfig config = PlaceConfig(20);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  std::vector<float> activity(20, 0.5f);
  activity[19] = 1;
  const Vec2 a = CenterOf(readout, 19), b = CenterOf(readout, 0), c = CenterOf(readout, 1);
  EXPECT_NEAR(decoder.Published(activity.data()).x, (a.x + b.x + c.x) / 3, 1e-12);
}

TEST(Decoder, TrueDifferenceOfGaussiansLetsTheLeastActiveVote) {
  RunConfig config = PlaceConfig(20);
  config.place_field_values = Readout::kTrueDifferenceOfGaussians;
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  std::vector<float> activity(20);
  for (size_t i = 0; i < 20; ++i) activity[i] = static_cast<float>((7 * i) % 20);
  // 7 i mod 20 is 0, 1, 2 at i = 0, 3, 6 and 19, 18, 17 at 17, 14, 11.
  auto mean = [&](size_t a, size_t b, size_t c) {
    return (CenterOf(readout, a).x + CenterOf(readout, b).x + CenterOf(readout, c).x) / 3;
  };
  EXPECT_NEAR(decoder.Published(activity.data()).x, mean(0, 3, 6), 1e-12);
  EXPECT_NEAR(decoder.MostActive(activity.data()).x, mean(17, 14, 11), 1e-12);
}

TEST(Decoder, OfSeveralFieldsTheTightestCombinationVotes) {
  RunConfig config = PlaceConfig(10);
  config.n_place_fields_per_cell = Draw::Constant(3);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  std::vector<float> activity(10, 0);
  activity[2] = 3, activity[5] = 2, activity[7] = 1;
  double least = 1e9;
  Vec2 expected{};
  for (size_t i = 0; i < 27; ++i) {
    const Vec2 p[] = {CenterOf(readout, 2, i / 9), CenterOf(readout, 5, i / 3 % 3),
                      CenterOf(readout, 7, i % 3)};
    const Vec2 mean = {(p[0].x + p[1].x + p[2].x) / 3, (p[0].y + p[1].y + p[2].y) / 3};
    double spread = 0;
    for (const Vec2& q : p) {
      spread += (q.x - mean.x) * (q.x - mean.x) + (q.y - mean.y) * (q.y - mean.y);
    }
    if (spread < least) least = spread, expected = mean;
  }
  EXPECT_NEAR(decoder.Published(activity.data()).x, expected.x, 1e-12);
  EXPECT_NEAR(decoder.Published(activity.data()).y, expected.y, 1e-12);
}

TEST(Decoder, FewerThanThreeCellsVoteAlone) {
  const RunConfig config = PlaceConfig(2);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const std::vector<float> activity = {0, 1};
  const Vec2 a = CenterOf(readout, 0), b = CenterOf(readout, 1);
  EXPECT_NEAR(decoder.Published(activity.data()).x, (a.x + b.x) / 2, 1e-12);
}

TEST(Distance, WrapsInPeriodicBoxesOnly) {
  EXPECT_NEAR(Distance({2.2, 2.2, false}, {1.0, 0}, {-1.0, 0}), 2.0, 1e-12);
  EXPECT_NEAR(Distance({2.2, 2.2, true}, {1.0, 1.0}, {-1.0, -1.0}), 0.2 * std::sqrt(2), 1e-12);
}

// Error of the published rule on exact targets, in cm.
double TargetError(const RunConfig& config) {
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const Box box = BoxOf(config);
  const Random random(1, Stream::kEval, 0);
  std::vector<float> y(static_cast<size_t>(config.Np));
  double sum = 0;
  constexpr uint64_t kPositions = 4000;
  for (uint64_t i = 0; i < kPositions; ++i) {
    const auto u = random.Uniforms(i);
    const std::vector<double> p = {(u[0] - 0.5) * box.width, (u[1] - 0.5) * box.height};
    readout.Targets(p, y.data());
    sum += Distance(box, decoder.Published(y.data()), {p[0], p[1]});
  }
  return 100 * sum / kPositions;
}

// Mean over four draws of the place cells; one draw differs by some 3%.
double MeanTargetError(RunConfig config) {
  double sum = 0;
  for (config.seed = 0; config.seed < 4; ++config.seed) sum += TargetError(config);
  return sum / 4;
}

// Reference values for a sigma of 0.12 m in the box of 2.2 m, from an independent
// implementation in Python.
TEST(Decoder, GaussianTargetsDecodeAsWellAsKnown) {
  EXPECT_NEAR(MeanTargetError(PlaceConfig(512)), 4.1, 0.3);
  EXPECT_NEAR(MeanTargetError(PlaceConfig(256)), 6.1, 0.4);
  EXPECT_NEAR(MeanTargetError(PlaceConfig(128)), 8.4, 0.7);
}

TEST(Decoder, NarrowDifferencesOfSoftmaxesDecodeBadly) {
  RunConfig config = PlaceConfig(512);
  config.place_field_values = Readout::kDifferenceOfGaussians;
  config.place_cell_rf = Draw::Constant(0.05);
  config.surround_scale = Draw::Constant(1.5);
  EXPECT_NEAR(MeanTargetError(config), 32, 8);
  config.place_cell_rf = Draw::Constant(0.12);
  EXPECT_LT(MeanTargetError(config), 7);
}

TEST(Decoder, TrueDifferenceOfGaussiansErrsByOneToTwoAndAHalfWidths) {
  RunConfig config = PlaceConfig(512);
  config.place_field_values = Readout::kTrueDifferenceOfGaussians;
  const double error = MeanTargetError(config);
  EXPECT_GT(error, 12 * 0.95);
  EXPECT_LT(error, 12 * 2.5);
}

TEST(Decoder, LinearReadoutsAreInverted) {
  RunConfig config;
  config.place_field_values = Readout::kHighDimCartesian;
  config.place_field_normalization = Normalization::kNone;
  config.Np = 64;
  EXPECT_LT(TargetError(config), 1e-4);
  config.place_field_values = Readout::kCartesian;
  config.Np = 2;
  EXPECT_LT(TargetError(config), 1e-4);
}

TEST(Decoder, PeriodicBoxesDecodeAcrossTheirEdge) {
  RunConfig config = PlaceConfig(512);
  config.is_periodic = true;
  EXPECT_NEAR(MeanTargetError(config), 4.1, 0.5);
}

}  // namespace
}  // namespace gridsweep::integrator

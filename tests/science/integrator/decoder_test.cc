#include "science/integrator/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <tuple>
#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;

RunConfig Config(Readout readout, int64_t outputs) {
  RunConfig config;
  config.place_field_values = readout;
  config.Np = outputs;
  return config;
}

Vec2 CenterOf(const ReadoutMap& readout, size_t cell, size_t field = 0) {
  const ReadoutParameters& p = readout.parameters();
  const size_t at = 2 * (cell * static_cast<size_t>(p.fields) + field);
  return {p.centers[at], p.centers[at + 1]};
}

size_t FieldsOf(const ReadoutMap& readout, size_t cell) {
  size_t count = 0;
  while (count < static_cast<size_t>(readout.parameters().fields) &&
         !std::isnan(CenterOf(readout, cell, count).x)) {
    ++count;
  }
  return count;
}

// The definition by brute force: a stable sort, every combination, its population
// variance; in a periodic box half the mean squared distance of two of the points (which
// is the variance where nothing wraps) and the argument of the mean on the circle.
Vec2 BruteForceVote(const RunConfig& config, const ReadoutMap& readout,
                    const std::vector<float>& activity, bool least) {
  std::vector<size_t> order(activity.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    return least ? activity[a] < activity[b] : activity[a] > activity[b];
  });
  const double sides[] = {config.box_width_in_m, config.box_height_in_m};
  double smallest = INFINITY;
  Vec2 vote{};
  for (size_t i = 0; i < FieldsOf(readout, order[0]); ++i) {
    for (size_t j = 0; j < FieldsOf(readout, order[1]); ++j) {
      for (size_t k = 0; k < FieldsOf(readout, order[2]); ++k) {
        const Vec2 p[] = {CenterOf(readout, order[0], i), CenterOf(readout, order[1], j),
                          CenterOf(readout, order[2], k)};
        double variance = 0, mean[2] = {};
        for (int axis = 0; axis < 2; ++axis) {
          const double x[] = {axis ? p[0].y : p[0].x, axis ? p[1].y : p[1].x,
                              axis ? p[2].y : p[2].x};
          if (config.is_periodic) {
            std::complex<double> sum = 0;
            for (double a : x) {
              sum += std::polar(1.0, 2 * std::numbers::pi * a / sides[axis]);
              for (double b : x) {
                const double d = std::min(std::abs(a - b), sides[axis] - std::abs(a - b));
                variance += d * d / 18;
              }
            }
            mean[axis] = std::arg(sum) * sides[axis] / (2 * std::numbers::pi);
          } else {
            mean[axis] = (x[0] + x[1] + x[2]) / 3;
            for (double a : x) variance += (a - mean[axis]) * (a - mean[axis]) / 3;
          }
        }
        if (variance >= smallest) continue;
        smallest = variance;
        vote = {mean[0], mean[1]};
      }
    }
  }
  return vote;
}

using VoteCase = std::tuple<Readout, Draw, bool>;
class Votes : public testing::TestWithParam<VoteCase> {};
INSTANTIATE_TEST_SUITE_P(
    All, Votes,
    testing::Combine(testing::Values(Readout::kGaussian, Readout::kDifferenceOfGaussians,
                                     Readout::kTrueDifferenceOfGaussians,
                                     Readout::kGeneralDifferenceOfGaussians,
                                     Readout::kSoftmaxOfDifferences),
                     testing::Values(Draw::Constant(1), Draw::Constant(3), Draw::Poisson(3)),
                     testing::Bool()));

// Eight levels of activity for 40 cells: most votes have ties.
TEST_P(Votes, AgreeWithBruteForce) {
  const auto [kind, fields, periodic] = GetParam();
  RunConfig config = Config(kind, 40);
  config.n_place_fields_per_cell = fields;
  config.is_periodic = periodic;
  config.box_height_in_m = 1.5;
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  for (uint64_t trial = 0; trial < 100; ++trial) {
    const Random random(3, Stream::kEval, trial);
    std::vector<float> activity(40);
    for (uint64_t i = 0; i < 40; ++i) {
      activity[i] = static_cast<float>(std::floor(random.Uniform(i, -4, 4)));
    }
    const bool least = kind == Readout::kTrueDifferenceOfGaussians;
    const Vec2 published = decoder.Published(activity.data());
    const Vec2 expected = BruteForceVote(config, readout, activity, least);
    ASSERT_NEAR(published.x, expected.x, 1e-12) << trial;
    ASSERT_NEAR(published.y, expected.y, 1e-12) << trial;
    const Vec2 most_active = decoder.MostActive(activity.data());
    const Vec2 expected_most = BruteForceVote(config, readout, activity, false);
    ASSERT_NEAR(most_active.x, expected_most.x, 1e-12) << trial;
    ASSERT_NEAR(most_active.y, expected_most.y, 1e-12) << trial;
  }
}

TEST(Decoder, AllEqualActivitiesLetTheFirstThreeCellsVote) {
  for (Readout kind : {Readout::kGaussian, Readout::kTrueDifferenceOfGaussians}) {
    const RunConfig config = Config(kind, 20);
    const ReadoutMap readout(config);
    const std::vector<float> activity(20, 0.5f);
    const Vec2 a = CenterOf(readout, 0), b = CenterOf(readout, 1), c = CenterOf(readout, 2);
    const Vec2 vote = Decoder(config, readout).Published(activity.data());
    EXPECT_NEAR(vote.x, (a.x + b.x + c.x) / 3, 1e-12);
    EXPECT_NEAR(vote.y, (a.y + b.y + c.y) / 3, 1e-12);
  }
}

TEST(Distance, WrapsInPeriodicBoxesOnly) {
  EXPECT_NEAR(Distance({2.2, 2.2, false}, {1.0, 0}, {-1.0, 0}), 2.0, 1e-12);
  EXPECT_NEAR(Distance({2.2, 2.2, true}, {1.0, 1.0}, {-1.0, -1.0}), 0.2 * std::sqrt(2), 1e-12);
}

TEST(Decoder, CartesianIsThePositionItself) {
  const RunConfig config = Config(Readout::kCartesian, 2);
  const ReadoutMap readout(config);
  const float activity[] = {0.25f, -0.75f};
  const Vec2 p = Decoder(config, readout).Published(activity);
  EXPECT_EQ(p.x, 0.25);
  EXPECT_EQ(p.y, -0.75);
}

// The residual of the best position is orthogonal to both rows of the map.
TEST(Decoder, HighDimCartesianIsTheLeastSquaresPosition) {
  const RunConfig config = Config(Readout::kHighDimCartesian, 50);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const ReadoutParameters& r = readout.parameters();
  const Random random(3, Stream::kEval, 0);
  std::vector<float> activity(50);
  for (uint64_t i = 0; i < 50; ++i) activity[i] = static_cast<float>(random.Normal(i));
  const Vec2 p = decoder.Published(activity.data());
  double along_x = 0, along_y = 0;
  for (size_t i = 0; i < 50; ++i) {
    const double residual =
        activity[i] - r.linear_offset[i] - p.x * r.linear_map[i] - p.y * r.linear_map[50 + i];
    along_x += residual * r.linear_map[i];
    along_y += residual * r.linear_map[50 + i];
  }
  EXPECT_NEAR(along_x, 0, 1e-12);
  EXPECT_NEAR(along_y, 0, 1e-12);
}

// One output cannot tell two coordinates: the shortest position that explains it.
TEST(Decoder, OneLinearOutputGivesTheShortestPosition) {
  const RunConfig config = Config(Readout::kHighDimCartesian, 1);
  const ReadoutMap readout(config);
  const ReadoutParameters& r = readout.parameters();
  const double ax = r.linear_map[0], ay = r.linear_map[1];
  const auto activity = static_cast<float>(0.5 * ax - 0.25 * ay + r.linear_offset[0]);
  const Vec2 p = Decoder(config, readout).Published(&activity);
  EXPECT_NEAR(p.x * ax + p.y * ay, 0.5 * ax - 0.25 * ay, 1e-7);
  EXPECT_NEAR(p.x * ay - p.y * ax, 0, 1e-12);
}

TEST(Decoder, PolarIsThePointWhateverTheSignOfTheRadius) {
  const RunConfig config = Config(Readout::kPolar, 2);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const float ahead[] = {0.5f, 7.0f}, behind[] = {-0.5f, 7.0f};
  EXPECT_NEAR(decoder.Published(ahead).x, 0.5 * std::cos(7.0), 1e-12);
  EXPECT_NEAR(decoder.Published(ahead).y, 0.5 * std::sin(7.0), 1e-12);
  EXPECT_NEAR(decoder.Published(behind).x, -0.5 * std::cos(7.0), 1e-12);
  EXPECT_NEAR(decoder.Published(behind).y, -0.5 * std::sin(7.0), 1e-12);
}

TEST(Decoder, HighDimPolarTakesTheLeastSquaresRadiusAndTheMostActiveAngle) {
  const RunConfig config = Config(Readout::kHighDimPolar, 40);
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const ReadoutParameters& r = readout.parameters();
  const Random random(3, Stream::kEval, 0);
  std::vector<float> activity(40);
  for (uint64_t i = 0; i < 20; ++i) activity[i] = static_cast<float>(random.Normal(i));
  activity[20 + 7] = activity[20 + 11] = 2;  // a tie: the lower index
  double products = 0, squares = 0;
  for (size_t i = 0; i < 20; ++i) {
    products += (activity[i] - r.radius_offset[i]) * r.radius_map[i];
    squares += r.radius_map[i] * r.radius_map[i];
  }
  const double radius = products / squares, angle = r.preferred_angles[7];
  const Vec2 p = decoder.Published(activity.data());
  EXPECT_NEAR(p.x, radius * std::cos(angle), 1e-12);
  EXPECT_NEAR(p.y, radius * std::sin(angle), 1e-12);
}

}  // namespace
}  // namespace gridsweep::integrator

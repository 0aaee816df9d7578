// How well the published rule can decode at all: its error on exact targets. Reference
// values for the box of 2.2 m from an independent implementation in Python.
#include <gtest/gtest.h>

#include <vector>

#include "science/integrator/decoder.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Readout;
using science::RunConfig;

RunConfig Config(Readout readout, double width = 0.12, double surround = 2) {
  RunConfig config;
  config.place_field_values = readout;
  config.place_cell_rf = Draw::Constant(width);
  config.surround_scale = Draw::Constant(surround);
  return config;
}

// Centimetres, mean over 1,000 uniform positions.
double ErrorOnTargets(const RunConfig& config) {
  const ReadoutMap readout(config);
  const Decoder decoder(config, readout);
  const Box box = BoxOf(config);
  const Random random(1, Stream::kEval, static_cast<uint64_t>(config.seed));
  std::vector<float> y(static_cast<size_t>(config.Np));
  double sum = 0;
  constexpr uint64_t kPositions = 1000;
  for (uint64_t i = 0; i < kPositions; ++i) {
    const auto u = random.Uniforms(i);
    const std::vector<double> p = {(u[0] - 0.5) * box.width, (u[1] - 0.5) * box.height};
    readout.Targets(p, y.data());
    sum += Distance(box, decoder.Published(y.data()), {p[0], p[1]});
  }
  return 100 * sum / kPositions;
}

// Mean over four draws of the cells; one draw differs by some 3 to 5%.
double MeanError(RunConfig config) {
  double sum = 0;
  for (config.seed = 0; config.seed < 4; ++config.seed) sum += ErrorOnTargets(config);
  return sum / 4;
}

TEST(DecodingError, GaussianAndSoDDependOnTheNumberOfCellsAlone) {
  for (Readout readout : {Readout::kGaussian, Readout::kSoftmaxOfDifferences}) {
    RunConfig config = Config(readout);
    EXPECT_NEAR(MeanError(config), 4.1, 0.3);
    config.Np = 256;
    EXPECT_NEAR(MeanError(config), 6.1, 0.4);
    config.Np = 128;
    EXPECT_NEAR(MeanError(config), 8.4, 0.8);
  }
}

// At 5 cm each cell's centre is hardly above the far away, where all are equal.
TEST(DecodingError, NarrowDoSDecodesBadlyAndBetterWithAWideSurround) {
  const auto error = [](double width, double surround) {
    return MeanError(Config(Readout::kDifferenceOfGaussians, width, surround));
  };
  EXPECT_NEAR(error(0.05, 1.5), 28, 6);
  EXPECT_NEAR(error(0.05, 4), 9, 1.5);
  EXPECT_GT(error(0.05, 2), error(0.05, 3));
  for (double width : {0.08, 0.12, 0.2}) {
    for (double surround : {1.5, 2.0, 4.0}) {
      const double at = error(width, surround);
      EXPECT_GT(at, 3.5) << width << " " << surround;
      EXPECT_LT(at, 7) << width << " " << surround;
    }
  }
}

// The target of a DoG is lowest on a ring round the animal: the least active cells are
// one to two and a half widths off, so that few of the published pairs can be solved.
TEST(DecodingError, TheLeastActiveCellsOfADoGLieOnARing) {
  int below_10_cm = 0;
  for (double width : {0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5}) {
    for (double surround : {1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0}) {
      const double error = MeanError(Config(Readout::kTrueDifferenceOfGaussians, width, surround));
      EXPECT_GT(error, 100 * width * 0.9) << width << " " << surround;
      EXPECT_LT(error, 100 * width * 2.5) << width << " " << surround;
      below_10_cm += error < 10;
    }
  }
  EXPECT_EQ(below_10_cm, 8);
}

// From equal heights on the most active cells are the ones far away.
TEST(DecodingError, GeneralDoGDecodesUntilTheSurroundWins) {
  for (double width : {0.12, 0.2}) {
    RunConfig config = Config(Readout::kGeneralDifferenceOfGaussians, width);
    for (double alpha_e : {0.4, 1.0, 10.0}) {
      config.place_cell_alpha_e = alpha_e;
      for (double fraction : {0.1, 0.4}) {
        config.place_cell_alpha_i = fraction * alpha_e;
        EXPECT_NEAR(MeanError(config), 4.3, 0.8) << width << " " << alpha_e << " " << fraction;
      }
      for (double multiple : {1.0, 4.0}) {
        config.place_cell_alpha_i = multiple * alpha_e;
        // In float32 all cells far from a narrow field are equal, and the first three of
        // them vote, not the farthest.
        EXPECT_GT(MeanError(config), width == 0.2 ? 200 : 140);
      }
    }
  }
}

TEST(DecodingError, MapsOfThePositionAreInverted) {
  RunConfig config = Config(Readout::kHighDimCartesian);
  EXPECT_LT(MeanError(config), 1e-4);
  config.place_field_values = Readout::kPolar;
  config.Np = 2;
  EXPECT_LT(MeanError(config), 1e-4);
}

// Of n random angles the nearest is pi / n off in the mean, at a mean radius of 0.84 m
// (1.65 cm for 160); the most active one is the nearest.
TEST(DecodingError, HighDimPolarErrsByTheGapsBetweenItsAngles) {
  RunConfig config = Config(Readout::kHighDimPolar);
  config.Np = 320;
  EXPECT_NEAR(MeanError(config), 1.65, 0.3);
}

TEST(DecodingError, PeriodicBoxesDecodeAcrossTheirEdge) {
  RunConfig config = Config(Readout::kGaussian);
  config.is_periodic = true;
  EXPECT_NEAR(MeanError(config), 4.1, 0.5);
}

// k fields a cell are centres k times as dense, and the tightest combination finds the
// three that respond: 4.1 cm / sqrt(k), with 1 + Poisson(3) having 4 in the mean.
TEST(DecodingError, SeveralFieldsDecodeByTheirTightestCombination) {
  for (bool periodic : {false, true}) {
    RunConfig config = Config(Readout::kDifferenceOfGaussians);
    config.is_periodic = periodic;
    config.n_place_fields_per_cell = Draw::Constant(2);
    EXPECT_NEAR(MeanError(config), 2.9, 0.25);
    config.n_place_fields_per_cell = Draw::Poisson(3);
    EXPECT_NEAR(MeanError(config), 2.05, 0.2);
  }
}

}  // namespace
}  // namespace gridsweep::integrator

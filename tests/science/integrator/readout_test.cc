#include "science/integrator/readout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;

std::vector<double> SomePositions(size_t n) {
  const Random random(11, Stream::kTrain, 0);
  std::vector<double> positions;
  for (size_t i = 0; i < n; ++i) {
    const auto u = random.Uniforms(i);
    positions.insert(positions.end(), {2.2 * u[0] - 1.1, 2.2 * u[1] - 1.1});
  }
  return positions;
}

std::vector<double> Softmax(const std::vector<double>& logits) {
  const double most = *std::ranges::max_element(logits);
  std::vector<double> y;
  double sum = 0;
  for (double x : logits) sum += y.emplace_back(std::exp(x - most));
  for (double& value : y) value /= sum;
  return y;
}

// The definitions, cell by cell in double, from the parameters as drawn.
std::vector<double> Reference(const RunConfig& config, const ReadoutParameters& p, double x,
                              double y) {
  std::vector<double> center, surround;  // -z, -z'
  for (int64_t cell = 0; cell < p.cells; ++cell) {
    double best = INFINITY, best_surround = 0;
    for (int64_t field = 0; field < p.fields; ++field) {
      const auto at = static_cast<size_t>(cell * p.fields + field);
      if (std::isnan(p.widths[at])) continue;
      double dx = std::abs(x - p.centers[2 * at]), dy = std::abs(y - p.centers[2 * at + 1]);
      if (config.is_periodic) {
        dx = std::min(dx, config.box_width_in_m - dx);
        dy = std::min(dy, config.box_height_in_m - dy);
      }
      const double z = (dx * dx + dy * dy) / (2 * p.widths[at] * p.widths[at]);
      if (z >= best) continue;
      best = z;
      const double s = p.surround_scales[at];
      best_surround = z / (config.surround_is_variance_ratio ? s : s * s);
    }
    center.push_back(-best);
    surround.push_back(-best_surround);
  }
  const bool global = config.place_field_normalization == Normalization::kGlobal;
  auto exponentials = [](const std::vector<double>& from) {
    std::vector<double> e;
    for (double value : from) e.push_back(std::exp(value));
    return e;
  };
  std::vector<double> q;
  switch (config.place_field_values) {
    case Readout::kGaussian:
      return global ? Softmax(center) : exponentials(center);
    case Readout::kSoftmaxOfDifferences:
      for (size_t i = 0; i < center.size(); ++i) q.push_back(center[i] - surround[i]);
      return Softmax(q);
    default:
      break;
  }
  const bool softmaxes = global && config.place_field_values == Readout::kDifferenceOfGaussians;
  const auto e = softmaxes ? Softmax(center) : exponentials(center);
  const auto i = softmaxes ? Softmax(surround) : exponentials(surround);
  const bool general = config.place_field_values == Readout::kGeneralDifferenceOfGaussians;
  const double alpha_e = general ? *config.place_cell_alpha_e : 1;
  const double alpha_i = general ? *config.place_cell_alpha_i : 1;
  for (size_t k = 0; k < e.size(); ++k) q.push_back(alpha_e * e[k] - alpha_i * i[k]);
  const double shift = std::abs(*std::ranges::min_element(q));
  double sum = 0;
  for (double& value : q) sum += value += shift;
  for (double& value : q) value /= sum;
  return q;
}

struct Case {
  std::string name;
  Readout readout;
  Normalization normalization = Normalization::kGlobal;
  int64_t cells = 512;
  Draw width = Draw::Constant(0.12);
  Draw surround = Draw::Constant(2);
  Draw fields = Draw::Constant(1);
  bool variance_ratio = false;
  bool periodic = false;
  double alpha_i = 1;
};

class PlaceCellReadouts : public testing::TestWithParam<Case> {};

RunConfig ConfigOf(const Case& c) {
  RunConfig config;
  config.seed = 4;
  config.place_field_values = c.readout;
  config.place_field_normalization = c.normalization;
  config.Np = c.cells;
  config.place_cell_rf = c.width;
  config.surround_scale = c.surround;
  config.n_place_fields_per_cell = c.fields;
  config.surround_is_variance_ratio = c.variance_ratio;
  config.is_periodic = c.periodic;
  config.place_cell_alpha_e = 1.2;
  config.place_cell_alpha_i = c.alpha_i;
  return config;
}

TEST_P(PlaceCellReadouts, AgreeWithTheDefinitionInDouble) {
  const RunConfig config = ConfigOf(GetParam());
  const ReadoutMap readout(config);
  const auto positions = SomePositions(50);
  const auto n = static_cast<size_t>(config.Np);
  std::vector<float> targets(50 * n);
  readout.Targets(positions, targets.data());
  for (size_t row = 0; row < 50; ++row) {
    const auto expected =
        Reference(config, readout.parameters(), positions[2 * row], positions[2 * row + 1]);
    // float32 arithmetic at the scale of the largest response.
    const double scale = *std::ranges::max_element(expected);
    for (size_t i = 0; i < n; ++i) {
      ASSERT_NEAR(targets[row * n + i], expected[i], 3e-5 * scale)
          << "row " << row << " cell " << i;
    }
  }
}

constexpr auto kNone = Normalization::kNone;
INSTANTIATE_TEST_SUITE_P(
    All, PlaceCellReadouts,
    testing::Values(
        Case{.name = "Gaussian", .readout = Readout::kGaussian},
        Case{.name = "GaussianNone", .readout = Readout::kGaussian, .normalization = kNone},
        Case{.name = "GaussianOddCells", .readout = Readout::kGaussian, .cells = 77},
        Case{.name = "GaussianThreeCells", .readout = Readout::kGaussian, .cells = 3},
        Case{
            .name = "GaussianNarrow", .readout = Readout::kGaussian, .width = Draw::Constant(0.01)},
        Case{.name = "GaussianPeriodic", .readout = Readout::kGaussian, .periodic = true},
        Case{.name = "DoS", .readout = Readout::kDifferenceOfGaussians},
        Case{.name = "DoSOddCells", .readout = Readout::kDifferenceOfGaussians, .cells = 77},
        Case{.name = "DoSMultiScale",
             .readout = Readout::kDifferenceOfGaussians,
             .width = Draw::Uniform(0.06, 1),
             .surround = Draw::Uniform(1.25, 4.5)},
        Case{.name = "DoSVarianceRatio",
             .readout = Readout::kDifferenceOfGaussians,
             .variance_ratio = true},
        Case{.name = "DoSPeriodic", .readout = Readout::kDifferenceOfGaussians, .periodic = true},
        Case{.name = "DoSMultiField",
             .readout = Readout::kDifferenceOfGaussians,
             .cells = 100,
             .width = Draw::Uniform(0.06, 0.3),
             .fields = Draw::Poisson(3)},
        Case{.name = "DoG", .readout = Readout::kTrueDifferenceOfGaussians},
        Case{.name = "DoGNamedDoSWithoutNormalization",
             .readout = Readout::kDifferenceOfGaussians,
             .normalization = kNone},
        Case{.name = "GeneralDoGAllPositive",
             .readout = Readout::kGeneralDifferenceOfGaussians,
             .cells = 77,
             .alpha_i = 0.1},
        Case{.name = "SoD", .readout = Readout::kSoftmaxOfDifferences}),
    [](const auto& instance) { return instance.param.name; });

TEST(PlaceCells, CentresFillTheBoxEvenly) {
  RunConfig config;
  config.Np = 4000;
  config.box_width_in_m = 3;
  const PlaceCells cells(config);
  double x = 0, y = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < 4000; ++i) {
    const double cx = cells.parameters().centers[2 * i], cy = cells.parameters().centers[2 * i + 1];
    ASSERT_LE(std::abs(cx), 1.5);
    ASSERT_LE(std::abs(cy), 1.1);
    x += cx / 4000, y += cy / 4000, xx += cx * cx / 4000, yy += cy * cy / 4000;
  }
  EXPECT_NEAR(x, 0, 0.06);
  EXPECT_NEAR(y, 0, 0.05);
  EXPECT_NEAR(xx, 9.0 / 12, 0.05);
  EXPECT_NEAR(yy, 4.84 / 12, 0.03);
}

TEST(PlaceCells, FieldCountsAreOnePlusPoisson) {
  RunConfig config;
  config.Np = 5000;
  config.n_place_fields_per_cell = Draw::Poisson(3);
  const PlaceCells cells(config);
  const double fields = static_cast<double>(
      std::ranges::count_if(cells.parameters().widths, [](double w) { return !std::isnan(w); }));
  EXPECT_NEAR(fields / 5000, 4, 0.1);
}

TEST(ReadoutMap, CartesianIsThePositionItself) {
  RunConfig config;
  config.place_field_values = Readout::kCartesian;
  config.Np = 2;
  const ReadoutMap readout(config);
  std::vector<float> out(4);
  readout.Targets(std::vector<double>{0.25, -1, 0.5, 2}, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.25, -1, 0.5, 2}));
  EXPECT_TRUE(readout.parameters().linear_map.empty());
}

TEST(ReadoutMap, HighDimCartesianIsTheStoredLinearMap) {
  RunConfig config;
  config.place_field_values = Readout::kHighDimCartesian;
  config.Np = 50;
  const ReadoutMap readout(config);
  const ReadoutParameters p = readout.parameters();
  std::vector<float> out(50);
  readout.Targets(std::vector<double>{0.3, -0.7}, out.data());
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_NEAR(out[i], 0.3 * p.linear_map[i] - 0.7 * p.linear_map[50 + i] + p.linear_offset[i],
                1e-6);
    EXPECT_LE(std::abs(p.linear_map[i]), 1);
  }
  EXPECT_GT(*std::ranges::max_element(p.linear_map), 0.9);
  EXPECT_LT(*std::ranges::min_element(p.linear_map), -0.9);
}

}  // namespace
}  // namespace gridsweep::integrator

#include "science/integrator/place_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;
using Values = std::vector<double>;

Values Exponentials(const Values& logits) {
  Values e;
  for (double x : logits) e.push_back(std::exp(x));
  return e;
}

Values Softmax(const Values& logits) {
  Values y = Exponentials(logits);
  double sum = 0;
  for (double value : y) sum += value;
  for (double& value : y) value /= sum;
  return y;
}

// -z and -z' of each cell at a position, from the parameters as drawn.
struct Exponents {
  Values center, surround;
};
Exponents ExponentsAt(const RunConfig& config, const ReadoutParameters& p, double x, double y) {
  Exponents result;
  for (int64_t cell = 0; cell < p.cells; ++cell) {
    double nearest = INFINITY, surround = 0;
    for (int64_t field = 0; field < p.fields; ++field) {
      const auto at = static_cast<size_t>(cell * p.fields + field);
      if (std::isnan(p.widths[at])) continue;
      double square = INFINITY;  // of the distance, and in a periodic box of the nearest image's
      const int images = config.is_periodic ? 1 : 0;
      for (int i = -images; i <= images; ++i) {
        for (int j = -images; j <= images; ++j) {
          const double dx = x - p.centers[2 * at] + i * config.box_width_in_m;
          const double dy = y - p.centers[2 * at + 1] + j * config.box_height_in_m;
          square = std::min(square, dx * dx + dy * dy);
        }
      }
      const double z = square / (2 * p.widths[at] * p.widths[at]);
      if (z >= nearest) continue;
      nearest = z;
      const double s = p.surround_scales[at], sigma = p.widths[at];
      surround = config.surround_is_variance_ratio ? square / (2 * s * sigma * sigma)
                                                   : square / (2 * (s * sigma) * (s * sigma));
    }
    result.center.push_back(-nearest);
    result.surround.push_back(-surround);
  }
  return result;
}

Values ShiftedAndRescaled(const Values& center, const Values& surround, double alpha_e = 1,
                          double alpha_i = 1) {
  Values q;
  for (size_t i = 0; i < center.size(); ++i)
    q.push_back(alpha_e * center[i] - alpha_i * surround[i]);
  const double shift = std::abs(*std::ranges::min_element(q));
  double sum = 0;
  for (double value : q) sum += value + shift;
  for (double& value : q) value = (value + shift) / sum;
  return q;
}

// The definitions, in double.
Values Definition(const RunConfig& config, const Exponents& z) {
  const bool global = config.place_field_normalization == Normalization::kGlobal;
  Values difference;
  switch (config.place_field_values) {
    case Readout::kGaussian:
      return global ? Softmax(z.center) : Exponentials(z.center);
    case Readout::kDifferenceOfGaussians:
      if (global) return ShiftedAndRescaled(Softmax(z.center), Softmax(z.surround));
      return ShiftedAndRescaled(Exponentials(z.center), Exponentials(z.surround));
    case Readout::kTrueDifferenceOfGaussians:
      return ShiftedAndRescaled(Exponentials(z.center), Exponentials(z.surround));
    case Readout::kGeneralDifferenceOfGaussians:
      return ShiftedAndRescaled(Exponentials(z.center), Exponentials(z.surround),
                                *config.place_cell_alpha_e, *config.place_cell_alpha_i);
    case Readout::kSoftmaxOfDifferences:
      for (size_t i = 0; i < z.center.size(); ++i) {
        difference.push_back(z.center[i] - z.surround[i]);
      }
      return Softmax(difference);
    default:
      return {};
  }
}

void ExpectDefinition(const RunConfig& config) {
  constexpr size_t kPositions = 30;
  const PlaceCells cells(config);
  const Random random(11, Stream::kTrain, 0);
  Values positions;
  for (size_t i = 0; i < kPositions; ++i) {
    const auto u = random.Uniforms(i);
    // Walks leave a box with walls by a few centimetres.
    const double margin = config.is_periodic ? 0 : 0.1;
    positions.push_back((u[0] - 0.5) * (config.box_width_in_m + margin));
    positions.push_back((u[1] - 0.5) * (config.box_height_in_m + margin));
  }
  const auto n = static_cast<size_t>(config.Np);
  std::vector<float> responses(kPositions * n);
  cells.Respond(positions, responses.data());
  for (size_t row = 0; row < kPositions; ++row) {
    const Exponents z =
        ExponentsAt(config, cells.parameters(), positions[2 * row], positions[2 * row + 1]);
    const Values expected = Definition(config, z);
    // float32 arithmetic at the scale of the largest response.
    const double scale = *std::ranges::max_element(expected);
    for (size_t i = 0; i < n; ++i) {
      ASSERT_NEAR(responses[row * n + i], expected[i], 2e-5 * scale)
          << "row " << row << " cell " << i;
    }
  }
}

// An oblong box, so that width and height cannot stand for each other.
RunConfig Config(Readout readout, int64_t cells = 101) {
  RunConfig config;
  config.seed = 4;
  config.place_field_values = readout;
  config.Np = cells;
  config.box_height_in_m = 1.5;
  config.place_cell_alpha_e = 1.3;
  config.place_cell_alpha_i = 0.4;
  return config;
}

using Case = std::tuple<Readout, Normalization, bool, Draw, bool, bool>;
class PlaceCellResponses : public testing::TestWithParam<Case> {};

TEST_P(PlaceCellResponses, AgreeWithTheDefinitionInDouble) {
  const auto [readout, normalization, multi_scale, fields, periodic, variance_ratio] = GetParam();
  RunConfig config = Config(readout);
  config.place_field_normalization = normalization;
  if (multi_scale) {
    config.place_cell_rf = Draw::Uniform(0.06, 1);
    config.surround_scale = Draw::Uniform(1.25, 4.5);
  }
  config.n_place_fields_per_cell = fields;
  config.is_periodic = periodic;
  config.surround_is_variance_ratio = variance_ratio;
  ExpectDefinition(config);
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const auto& [readout, normalization, multi_scale, fields, periodic, variance_ratio] = info.param;
  std::string name;
  switch (readout) {
    case Readout::kGaussian:
      name = "Gaussian";
      break;
    case Readout::kDifferenceOfGaussians:
      name = "DoS";
      break;
    case Readout::kTrueDifferenceOfGaussians:
      name = "DoG";
      break;
    case Readout::kGeneralDifferenceOfGaussians:
      name = "GeneralDoG";
      break;
    default:
      name = "SoD";
  }
  name += normalization == Normalization::kGlobal ? "Global" : "None";
  if (multi_scale) name += "MultiScale";
  if (fields.kind == Draw::Kind::kPoisson) name += "PoissonFields";
  if (fields == Draw::Constant(3)) name += "ThreeFields";
  if (periodic) name += "Periodic";
  if (variance_ratio) name += "VarianceRatio";
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, PlaceCellResponses,
    testing::Combine(testing::Values(Readout::kGaussian, Readout::kDifferenceOfGaussians,
                                     Readout::kTrueDifferenceOfGaussians,
                                     Readout::kGeneralDifferenceOfGaussians,
                                     Readout::kSoftmaxOfDifferences),
                     testing::Values(Normalization::kNone, Normalization::kGlobal), testing::Bool(),
                     testing::Values(Draw::Constant(1), Draw::Constant(3), Draw::Poisson(3)),
                     testing::Bool(), testing::Bool()),
    CaseName);

// Whole vectors, and a remainder; and fewer cells than a vector has lanes.
TEST(PlaceCells, AnyNumberOfCellsAgreesWithTheDefinition) {
  for (Readout readout : {Readout::kGaussian, Readout::kDifferenceOfGaussians,
                          Readout::kTrueDifferenceOfGaussians, Readout::kSoftmaxOfDifferences}) {
    for (int64_t cells : {77, 128, 512}) ExpectDefinition(Config(readout, cells));
  }
  for (int64_t cells : {3, 8}) ExpectDefinition(Config(Readout::kGaussian, cells));
}

// Alone, exp(-z) of so narrow a field is 0 nearly everywhere.
TEST(PlaceCells, NarrowFieldsDoNotUnderflowInASoftmax) {
  for (Readout readout : {Readout::kGaussian, Readout::kSoftmaxOfDifferences}) {
    RunConfig config = Config(readout);
    config.place_cell_rf = Draw::Constant(0.01);
    ExpectDefinition(config);
  }
}

TEST(PlaceCells, GeneralDifferencesTakeAnyHeights) {
  for (const auto& [alpha_e, alpha_i] :
       {std::pair(0.1, 10.0), {10.0, 0.1}, {1.0, 0.0}, {0.0, 1.0}}) {
    RunConfig config = Config(Readout::kGeneralDifferenceOfGaussians);
    config.place_cell_alpha_e = alpha_e;
    config.place_cell_alpha_i = alpha_i;
    ExpectDefinition(config);
  }
}

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

// Fields of cells whose number is in the parameters; the others are NaN throughout.
std::vector<int64_t> FieldCounts(const ReadoutParameters& p) {
  std::vector<int64_t> counts;
  for (int64_t cell = 0; cell < p.cells; ++cell) {
    int64_t count = 0;
    for (int64_t field = 0; field < p.fields; ++field) {
      const auto at = static_cast<size_t>(cell * p.fields + field);
      const bool missing = std::isnan(p.widths[at]);
      EXPECT_EQ(std::isnan(p.centers[2 * at]), missing);
      EXPECT_EQ(std::isnan(p.centers[2 * at + 1]), missing);
      EXPECT_EQ(std::isnan(p.surround_scales[at]), missing);
      if (missing) continue;
      EXPECT_EQ(count, field) << "a missing field before another";
      ++count;
    }
    counts.push_back(count);
  }
  return counts;
}

// Chi-squared of 6 bins (1 to 5 fields, 6 and more) has 5 degrees of freedom: 20.5 is
// passed by chance once in a thousand.
TEST(PlaceCells, FieldCountsAreOnePlusPoisson) {
  RunConfig config;
  config.Np = 5000;
  config.n_place_fields_per_cell = Draw::Poisson(2);
  std::vector<double> seen(6);
  for (int64_t count : FieldCounts(PlaceCells(config).parameters())) {
    ++seen[static_cast<size_t>(std::min<int64_t>(count, 6) - 1)];
  }
  double probability = std::exp(-2.0), rest = 1, chi_squared = 0;
  for (size_t k = 0; k < 6; ++k) {
    const double expected = 5000 * (k < 5 ? probability : rest);
    chi_squared += (seen[k] - expected) * (seen[k] - expected) / expected;
    rest -= probability;
    probability *= 2 / static_cast<double>(k + 1);
  }
  EXPECT_LT(chi_squared, 20.5);
}

TEST(PlaceCells, AWholeNumberOfFieldsIsThatNumberInEveryCell) {
  RunConfig config;
  config.Np = 50;
  config.n_place_fields_per_cell = Draw::Constant(4);
  EXPECT_EQ(FieldCounts(PlaceCells(config).parameters()), std::vector<int64_t>(50, 4));
}

TEST(PlaceCells, EachFieldDrawsItsOwnCentreWidthAndSurround) {
  RunConfig config;
  config.Np = 1000;
  config.n_place_fields_per_cell = Draw::Constant(2);
  config.place_cell_rf = Draw::Uniform(0.1, 0.3);
  config.surround_scale = Draw::Uniform(1.5, 4.5);
  const ReadoutParameters p = PlaceCells(config).parameters();
  EXPECT_EQ(std::set(p.centers.begin(), p.centers.end()).size(), 4000u);
  EXPECT_EQ(std::set(p.widths.begin(), p.widths.end()).size(), 2000u);
  double width = 0, surround = 0, product = 0;
  for (size_t i = 0; i < 2000; ++i) {
    ASSERT_TRUE(p.widths[i] > 0.1 && p.widths[i] < 0.3);
    ASSERT_TRUE(p.surround_scales[i] > 1.5 && p.surround_scales[i] < 4.5);
    width += p.widths[i] / 2000, surround += p.surround_scales[i] / 2000;
    product += (p.widths[i] - 0.2) * (p.surround_scales[i] - 3) / 2000;
  }
  // Four standard errors of uniforms with sd 0.2 / sqrt(12) and 3 / sqrt(12).
  EXPECT_NEAR(width, 0.2, 4 * 0.2 / std::sqrt(12 * 2000.0));
  EXPECT_NEAR(surround, 3, 4 * 3 / std::sqrt(12 * 2000.0));
  EXPECT_NEAR(product, 0, 4 * 0.2 * 3 / 12 / std::sqrt(2000.0));
}

}  // namespace
}  // namespace gridsweep::integrator

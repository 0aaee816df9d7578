#include "science/integrator/head_direction_cells.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gridsweep::integrator {
namespace {

constexpr double kPi = 3.14159265358979323846;

science::RunConfig ConfigOf(int64_t cells, double concentration = 20) {
  science::RunConfig config;
  config.n_head_direction_cells = cells;
  config.head_direction_concentration = concentration;
  return config;
}

TEST(HeadDirectionCells, RespondWithASoftmaxOfCosines) {
  const HeadDirectionCells cells(ConfigOf(12));
  const std::vector<double> headings = {0, 1.5, -3, 100};
  std::vector<float> out(headings.size() * 12);
  cells.Respond(headings, out.data());
  for (size_t row = 0; row < headings.size(); ++row) {
    double sum = 0;
    for (double mu : cells.preferred()) sum += std::exp(20 * std::cos(headings[row] - mu));
    for (size_t i = 0; i < 12; ++i) {
      EXPECT_NEAR(out[row * 12 + i],
                  std::exp(20 * std::cos(headings[row] - cells.preferred()[i])) / sum, 1e-6);
    }
  }
}

TEST(HeadDirectionCells, StayFiniteAtAnyConcentration) {
  const HeadDirectionCells cells(ConfigOf(3, 1e6));
  const std::vector<double> headings = {cells.preferred()[1], cells.preferred()[1] + kPi};
  std::vector<float> out(6);
  cells.Respond(headings, out.data());
  EXPECT_EQ(out[1], 1);
  EXPECT_NEAR(out[3] + out[4] + out[5], 1, 1e-6);
}

TEST(HeadDirectionCells, PreferEveryDirectionAlike) {
  const HeadDirectionCells cells(ConfigOf(20000));
  double cosine = 0, sine = 0;
  for (double mu : cells.preferred()) {
    EXPECT_LE(std::abs(mu), kPi);
    cosine += std::cos(mu);
    sine += std::sin(mu);
  }
  EXPECT_LT(std::hypot(cosine, sine) / 20000, 0.03);  // four standard errors
  EXPECT_GT(*std::ranges::max_element(cells.preferred()), 0.999 * kPi);
}

TEST(HeadDirectionCells, NoneAreNoCells) { EXPECT_EQ(HeadDirectionCells(ConfigOf(0)).cells(), 0); }

}  // namespace
}  // namespace gridsweep::integrator

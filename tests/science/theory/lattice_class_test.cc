#include "science/theory/lattice_class.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace gridsweep::theory {
namespace {

constexpr int kRes = 55;

// Waves of `periods` across the lattice, pi / count apart from `direction` on.
std::vector<double> Waves(int count, double direction, double periods = 5.3) {
  std::vector<double> map;
  for (int i = 0; i < kRes; ++i) {
    for (int j = 0; j < kRes; ++j) {
      map.push_back(0);
      for (int wave = 0; wave < count; ++wave) {
        const double angle = direction + wave * std::numbers::pi / count;
        map.back() += std::cos(2 * std::numbers::pi * periods / kRes *
                               ((i - 20) * std::cos(angle) + (j - 31) * std::sin(angle)));
      }
    }
  }
  return map;
}

class LatticesAt : public testing::TestWithParam<double> {};

TEST_P(LatticesAt, AreTold) {
  LatticeClassifier classifier(kRes);
  for (const double periods : {4.0, 5.3, 8.0}) {
    const LatticeReading hexagons = classifier.Read(Waves(3, GetParam(), periods));
    EXPECT_EQ(hexagons.lattice, Lattice::kHexagonal) << hexagons.grid_score_60;
    EXPECT_LT(hexagons.stripedness, 0.2);
    const LatticeReading squares = classifier.Read(Waves(2, GetParam(), periods));
    EXPECT_EQ(squares.lattice, Lattice::kSquare) << squares.grid_score_90;
    EXPECT_LT(squares.stripedness, 0.2);
    const LatticeReading stripes = classifier.Read(Waves(1, GetParam(), periods));
    EXPECT_EQ(stripes.lattice, Lattice::kStripes) << stripes.stripedness;
    EXPECT_LT(stripes.grid_score_60, 0.5);
    EXPECT_LT(stripes.grid_score_90, 0.5);
  }
}

INSTANTIATE_TEST_SUITE_P(AnyDirection, LatticesAt, testing::Values(0.0, 0.11, 0.4, 0.7853, 1.3));

TEST(LatticeClassifier, ScoresAreThoseOfTheScorer) {
  const auto map = Waves(3, 0.2);
  const LatticeReading reading = LatticeClassifier(kRes).Read(map);
  const auto scores = scoring::GridScorer(kRes).Score(map);
  EXPECT_EQ(reading.grid_score_60, scores.grid_score_60);
  EXPECT_EQ(reading.grid_score_90, scores.grid_score_90);
}

TEST(LatticeClassifier, NoiseOneBumpAndAConstantAreNone) {
  LatticeClassifier classifier(kRes);
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> noise, bump;
  for (int i = 0; i < kRes; ++i) {
    for (int j = 0; j < kRes; ++j) {
      noise.push_back(normal(random));
      bump.push_back(std::exp(-(std::pow(i - 18, 2) + std::pow(j - 33, 2)) / 50));
    }
  }
  EXPECT_EQ(classifier.Read(noise).lattice, Lattice::kNone);
  EXPECT_EQ(classifier.Read(bump).lattice, Lattice::kNone);
  const LatticeReading constant = classifier.Read(std::vector<double>(kRes * kRes, 0.3));
  EXPECT_EQ(constant.lattice, Lattice::kNone);
  EXPECT_TRUE(std::isnan(constant.grid_score_60));
}

}  // namespace
}  // namespace gridsweep::theory

#include "science/scoring/field_shuffle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>
#include <set>
#include <vector>

#include "science/scoring/fields.h"
#include "science/scoring/grid_scorer.h"

namespace gridsweep::scoring {
namespace {

using std::numbers::pi;
using Ratemap = std::vector<double>;
constexpr int kSide = 44;
const double kNaN = std::nan("");

BinGrid Square() { return {kSide, kSide, 2.2, 2.2}; }

// SplitMix64 of (seed, i).
Uniforms Drawn(uint64_t seed) {
  return [seed](uint64_t i) {
    uint64_t x = (seed << 32) + i + 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (static_cast<double>((x ^ (x >> 31)) >> 11) + 0.5) * 0x1p-53;
  };
}

struct Bump {
  double x, y, height, width;
};
// Bumps on a faint slope, so that all rates differ.
Ratemap Bumps(const std::vector<Bump>& bumps) {
  Ratemap map;
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      double rate = 1e-6 * (i * kSide + j);
      for (const Bump& b : bumps) {
        rate += b.height *
                std::exp(-(std::pow(i - b.x, 2) + std::pow(j - b.y, 2)) / (2 * b.width * b.width));
      }
      map.push_back(rate);
    }
  }
  return map;
}

Ratemap Hexagonal(double spacing) {
  Ratemap map;
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      double sum = 1e-7 * (i * kSide + j);
      for (int k = 0; k < 3; ++k) {
        const double direction = 0.2 + k * pi / 3;
        sum += std::cos(4 * pi / std::sqrt(3.0) / spacing *
                        (i * std::cos(direction) + j * std::sin(direction)));
      }
      map.push_back(std::max(1e-7 * (i * kSide + j), sum));
    }
  }
  return map;
}

// Rates of visited bins, sorted.
Ratemap Rates(const Ratemap& map) {
  Ratemap rates;
  std::ranges::copy_if(map, std::back_inserter(rates), [](double r) { return !std::isnan(r); });
  std::ranges::sort(rates);
  return rates;
}

// Differences between the places of a field's highest bins, up to quarter turns: its shape.
std::multiset<double> Shape(const Ratemap& map, const Field& field) {
  const int peak = *std::ranges::max_element(field, {}, [&](int bin) { return map[bin]; });
  std::multiset<double> shape;
  for (const int bin : field) {
    const int x = bin / kSide - peak / kSide, y = bin % kSide - peak % kSide;
    shape.insert(map[bin] + 1e3 * (x * x + y * y));
  }
  return shape;
}

TEST(FieldShuffle, KeepsTheRatesAndTheUnvisitedBins) {
  Ratemap map = Bumps({{10, 12, 1, 3}, {30, 25, 0.7, 4}});
  for (size_t bin = 5; bin < map.size(); bin += 97) map[bin] = kNaN;
  const FieldShuffler shuffler(map, Square());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Ratemap shuffled = shuffler.Shuffle(Drawn(seed));
    for (size_t bin = 0; bin < map.size(); ++bin)
      EXPECT_EQ(std::isnan(shuffled[bin]), std::isnan(map[bin]));
    EXPECT_EQ(Rates(shuffled), Rates(map));
    EXPECT_NE(shuffled, map);
  }
}

TEST(FieldShuffle, MovesAFieldAsAWhole) {
  // An oval, so that its turns differ.
  Ratemap map = Bumps({{10, 12, 1, 3}, {13, 12, 0.9, 2.5}});
  const auto fields = FindFields(map, Square());
  ASSERT_EQ(fields.size(), 1U);
  const FieldShuffler shuffler(map, Square());
  EXPECT_EQ(shuffler.fields(), 1);
  std::set<int> first_bins;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Ratemap shuffled = shuffler.Shuffle(Drawn(seed));
    const auto moved = FindFields(shuffled, Square());
    ASSERT_EQ(moved.size(), 1U);
    EXPECT_EQ(Shape(shuffled, moved[0]), Shape(map, fields[0]));
    first_bins.insert(moved[0].front());
  }
  EXPECT_GT(first_bins.size(), 25U);
}

TEST(FieldShuffle, TurnsAFieldByAllQuarters) {
  // A bar along the first index.
  Ratemap map(kSide * kSide);
  for (int i = 0; i < 12; ++i) map[(20 + i) * kSide + 20] = 1 + 0.01 * i;
  const FieldShuffler shuffler(map, Square());
  std::set<std::pair<int, int>> directions;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const Ratemap shuffled = shuffler.Shuffle(Drawn(seed));
    const auto low = std::ranges::find(shuffled, 1.0) - shuffled.begin();
    const auto next = std::ranges::find(shuffled, 1.01) - shuffled.begin();
    directions.emplace(next / kSide - low / kSide, next % kSide - low % kSide);
  }
  EXPECT_THAT(directions, testing::UnorderedElementsAre(std::pair(1, 0), std::pair(-1, 0),
                                                        std::pair(0, 1), std::pair(0, -1)));
}

TEST(FieldShuffle, CutsAFieldBetweenItsPeaks) {
  // Two bumps whose saddle lies above 0.3 of the maximum: one field, two peaks.
  const Ratemap map = Bumps({{15, 20, 1, 4}, {29, 20, 1, 4}});
  EXPECT_EQ(FindFields(map, Square()).size(), 1U);
  const FieldShuffler shuffler(map, Square());
  EXPECT_EQ(shuffler.fields(), 2);
  int apart = 0;
  for (uint64_t seed = 0; seed < 20; ++seed)
    apart += FindFields(shuffler.Shuffle(Drawn(seed)), Square()).size() == 2;
  EXPECT_GT(apart, 5);
}

TEST(FieldShuffle, SpreadsAFieldOverTheWholeBox) {
  const Ratemap map = Bumps({{10, 12, 1, 2}});
  const FieldShuffler shuffler(map, Square());
  std::array<int, 4> quadrants{};
  constexpr int kDraws = 400;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const Ratemap shuffled = shuffler.Shuffle(Drawn(seed));
    const auto peak = std::ranges::max_element(shuffled) - shuffled.begin();
    ++quadrants[2 * (peak / kSide >= kSide / 2) + (peak % kSide >= kSide / 2)];
  }
  for (const int count : quadrants) EXPECT_NEAR(count, kDraws / 4, 40);
}

TEST(FieldShuffle, DestroysALattice) {
  const GridScorer scorer(kSide);
  const Ratemap map = Hexagonal(12);
  ASSERT_GT(scorer.Score(map).grid_score_60, 1.2);
  const FieldShuffler shuffler(map, Square());
  EXPECT_GE(shuffler.fields(), 12);
  double sum = 0;
  int high = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const double score = scorer.Score(shuffler.Shuffle(Drawn(seed))).grid_score_60;
    sum += score / 100;
    high += score > 0.8;
  }
  EXPECT_LT(std::abs(sum), 0.3);
  EXPECT_LE(high, 5);
}

TEST(FieldShuffle, MapsWithoutFieldsArePermuted) {
  Ratemap map(kSide * kSide);
  // Single bins: no field of 200 cm2.
  for (size_t bin = 3; bin < map.size(); bin += 50) map[bin] = 1 + 0.01 * static_cast<double>(bin);
  const FieldShuffler shuffler(map, Square());
  EXPECT_EQ(shuffler.fields(), 0);
  const Ratemap shuffled = shuffler.Shuffle(Drawn(1));
  EXPECT_EQ(Rates(shuffled), Rates(map));
  EXPECT_NE(shuffled, map);
}

TEST(FieldShuffle, FitsFieldsIntoAnOblongBox) {
  const BinGrid oblong(44, 10, 2.2, 0.5);
  Ratemap map(440);
  for (int i = 0; i < 30; ++i) map[(5 + i) * 10 + 4] = 1 + 0.01 * i;
  const FieldShuffler shuffler(map, oblong);
  for (uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_EQ(Rates(shuffler.Shuffle(Drawn(seed))), Rates(map));
}

TEST(FieldShuffle, IsAFunctionOfItsNumbers) {
  const FieldShuffler shuffler(Hexagonal(12), Square());
  EXPECT_EQ(shuffler.Shuffle(Drawn(3)), shuffler.Shuffle(Drawn(3)));
  EXPECT_NE(shuffler.Shuffle(Drawn(3)), shuffler.Shuffle(Drawn(4)));
}

}  // namespace
}  // namespace gridsweep::scoring

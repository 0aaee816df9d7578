#include "worker/chance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <string>

#include "common/strings.h"

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

science::RunConfig Config(int64_t units, int64_t chance_units, int64_t shuffles) {
  science::RunConfig config;
  config.Ng = units;
  config.chance_units = chance_units;
  config.chance_shuffles = shuffles;
  return config;
}

// Lattices of various spacing; every third unit is silent.
UnitMaps Maps(int units) {
  UnitMaps maps;
  maps.units = units;
  maps.nx = maps.ny = 44;
  for (int unit = 0; unit < units; ++unit) {
    for (int i = 0; i < 44; ++i) {
      for (int j = 0; j < 44; ++j) {
        double sum = 0.001 * i;
        for (int k = 0; k < 3; ++k) {
          const double direction = 0.1 * unit + k * std::numbers::pi / 3;
          sum +=
              std::cos((0.5 + 0.02 * unit) * (i * std::cos(direction) + j * std::sin(direction)));
        }
        maps.ratemaps.push_back(unit % 3 == 0 ? 0 : std::max(0.0, sum));
      }
    }
    maps.score_60.push_back(unit % 3 == 0 ? kNaN : 1);
  }
  return maps;
}

ShuffledScores ScoresOf(const science::RunConfig& config, const UnitMaps& maps) {
  const auto scores = ScoreShuffles(config, maps, nullptr);
  EXPECT_TRUE(scores.has_value());
  return scores.value_or(ShuffledScores{});
}

// Comparable, NaN or not.
std::vector<double> Marked(std::vector<double> scores) {
  for (double& score : scores)
    if (std::isnan(score)) score = -9;
  return scores;
}

TEST(Chance, IsOffWithoutUnitsOrShuffles) {
  EXPECT_TRUE(WantsChance(Config(10, 64, 100)));
  EXPECT_FALSE(WantsChance(Config(10, 0, 100)));
  EXPECT_FALSE(WantsChance(Config(10, 64, 0)));
}

TEST(Chance, DrawsDifferentUnitsBySeed) {
  std::set<std::vector<int64_t>> samples;
  std::vector<int> drawn(30);
  for (int64_t seed = 0; seed < 300; ++seed) {
    science::RunConfig config = Config(30, 6, 1);
    config.seed = seed;
    UnitMaps silent = Maps(0);
    silent.score_60.assign(30, kNaN);
    const ShuffledScores scores = ScoresOf(config, silent);
    EXPECT_EQ(scores.units.size(), 6U);
    EXPECT_TRUE(std::ranges::is_sorted(scores.units));
    EXPECT_EQ(std::ranges::adjacent_find(scores.units), scores.units.end());
    for (const int64_t unit : scores.units) ++drawn[static_cast<size_t>(unit)];
    samples.insert(scores.units);
  }
  EXPECT_GT(samples.size(), 290U);
  // Each of 30 units is drawn 60 times, give or take 7.
  for (const int count : drawn) EXPECT_NEAR(count, 60, 35);
}

TEST(Chance, TakesAllUnitsWhereThereAreNoMore) {
  UnitMaps silent = Maps(0);
  silent.score_60.assign(5, kNaN);
  EXPECT_THAT(ScoresOf(Config(5, 64, 2), silent).units, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST(Chance, AUnitWithoutAScoreHasNoneByChanceAndCountsAsShuffled) {
  const UnitMaps maps = Maps(6);
  const ShuffledScores scores = ScoresOf(Config(6, 6, 4), maps);
  ASSERT_EQ(scores.score_60.size(), 24U);
  for (size_t k = 0; k < scores.score_60.size(); ++k) {
    EXPECT_EQ(std::isnan(scores.score_60[k]), (k / 4) % 3 == 0) << k;
  }
  const auto above = std::ranges::count_if(scores.score_60, [](double s) { return s > 0.3; });
  EXPECT_DOUBLE_EQ(FractionsAbove(scores.score_60)[0], static_cast<double>(above) / 24);
}

TEST(Chance, AUnitsShufflesDependOnNeitherItsCompanyNorTheirNumber) {
  const UnitMaps maps = Maps(6);
  const ShuffledScores few = ScoresOf(Config(6, 6, 3), maps),
                       many = ScoresOf(Config(6, 6, 5), maps);
  for (size_t unit = 0; unit < 6; ++unit) {
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(Marked(few.score_60)[unit * 3 + k], Marked(many.score_60)[unit * 5 + k]);
    }
  }
  const ShuffledScores alone = ScoresOf(Config(6, 2, 3), maps);
  for (size_t i = 0; i < 2; ++i) {
    const auto unit = static_cast<size_t>(alone.units[i]);
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(Marked(alone.score_60)[i * 3 + k], Marked(few.score_60)[unit * 3 + k]);
    }
  }
}

TEST(Chance, ShufflesOfOneUnitDifferAndFollowTheSeed) {
  science::RunConfig config = Config(2, 2, 20);
  const UnitMaps maps = Maps(2);
  const auto first = ScoresOf(config, maps).score_60;
  EXPECT_EQ(std::set<double>(first.begin() + 20, first.end()).size(), 20U);
  EXPECT_EQ(Marked(ScoresOf(config, maps).score_60), Marked(first));
  config.seed = 1;
  EXPECT_NE(Marked(ScoresOf(config, maps).score_60), Marked(first));
}

TEST(Chance, OfLatticesIsFarBelowThem) {
  const ShuffledScores scores = ScoresOf(Config(6, 6, 50), Maps(6));
  EXPECT_LT(Percentile95(scores.score_60), 0.75);
  EXPECT_LT(FractionsAbove(scores.score_60)[2], 0.03);
}

TEST(Chance, TellsHowManyAreDoneAndStopsWhenTold) {
  std::vector<uint64_t> told;
  const auto scores = ScoreShuffles(Config(4, 4, 2), Maps(4), [&](uint64_t done) {
    told.push_back(done);
    return told.size() < 3;
  });
  EXPECT_FALSE(scores.has_value());
  // Units 0 and 3 are silent.
  EXPECT_THAT(told, testing::ElementsAre(3, 4, 5));
}

TEST(Chance, EachThresholdHasItsMetrics) {
  for (size_t i = 0; i < science::kPublishedThresholds.size(); ++i) {
    const int hundredths = static_cast<int>(std::lround(100 * science::kPublishedThresholds[i]));
    const std::string suffix = StrCat(hundredths < 100 ? "0" : "", hundredths);
    EXPECT_EQ(science::kThresholdSuffixes[i], suffix);
    for (const char* prefix : {"chance", "untrained"}) {
      const auto* metric = science::FindMetric(StrCat(prefix, "_fraction_above_", suffix));
      ASSERT_NE(metric, nullptr) << suffix;
      EXPECT_EQ(metric->level, science::MetricLevel::kRun);
    }
  }
}

// numpy.percentile(x, 95).
TEST(Percentile95, IsLinearBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(Percentile95(std::vector<double>{3, kNaN, 1, 2}), 2.9);
  EXPECT_DOUBLE_EQ(Percentile95(std::vector<double>{7}), 7);
  std::vector<double> ramp;
  for (int k = 100; k >= 0; --k) ramp.push_back(k);
  EXPECT_DOUBLE_EQ(Percentile95(ramp), 95);
  EXPECT_TRUE(std::isnan(Percentile95(std::vector<double>{kNaN})));
}

}  // namespace
}  // namespace gridsweep::worker

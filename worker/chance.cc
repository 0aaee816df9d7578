#include "worker/chance.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "science/integrator/philox.h"
#include "science/scoring/field_shuffle.h"
#include "science/scoring/grid_scorer.h"
#include "science/scoring/ratemap.h"

namespace gridsweep::worker {
namespace {

using integrator::Random;
using integrator::Stream;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The units with the smallest of one random key each. Step 0 of the stream.
std::vector<int64_t> DrawUnits(const science::RunConfig& config) {
  std::vector<int64_t> units(static_cast<size_t>(config.Ng));
  std::iota(units.begin(), units.end(), int64_t{0});
  const Random random(config.seed, Stream::kChance, 0);
  std::ranges::stable_sort(units, std::less<>(), [&](int64_t unit) {
    return random.Uniforms(static_cast<uint64_t>(unit))[0];
  });
  units.resize(static_cast<size_t>(std::min(config.Ng, config.chance_units)));
  std::ranges::sort(units);
  return units;
}

}  // namespace

bool WantsChance(const science::RunConfig& config) {
  return config.chance_units > 0 && config.chance_shuffles > 0;
}

std::optional<ShuffledScores> ScoreShuffles(const science::RunConfig& config, const UnitMaps& maps,
                                            const UnitCallback& on_shuffle) {
  ShuffledScores result{
      .units = DrawUnits(config), .shuffles = config.chance_shuffles, .score_60 = {}};
  result.score_60.assign(result.units.size() * static_cast<size_t>(result.shuffles), kNaN);
  const scoring::BinGrid grid = FullGrid(config);
  std::optional<scoring::GridScorer> scorer;  // of square maps, which alone have scores
  size_t at = 0;
  for (const int64_t unit : result.units) {
    if (std::isnan(maps.score_60[static_cast<size_t>(unit)])) {
      at += static_cast<size_t>(result.shuffles);
      continue;
    }
    if (!scorer) scorer.emplace(grid.nx, scoring::GridScorer::Options{config.sac_mask_unvisited});
    const scoring::FieldShuffler shuffler(maps.Ratemap(static_cast<int>(unit)), grid);
    for (int64_t shuffle = 0; shuffle < result.shuffles; ++shuffle) {
      // Step 0 has drawn the units. The number of shuffles changes none of them.
      const Random random(config.seed, Stream::kChance, 1 + static_cast<uint64_t>(shuffle));
      const uint64_t first = static_cast<uint64_t>(unit) << 32;
      const std::vector<double> map =
          shuffler.Shuffle([&](uint64_t i) { return random.Uniforms(first + i)[0]; });
      result.score_60[at++] = scorer->Score(map).grid_score_60;
      if (on_shuffle && !on_shuffle(at)) return std::nullopt;
    }
  }
  return result;
}

double Percentile95(std::span<const double> scores) {
  std::vector<double> sorted;
  std::ranges::copy_if(scores, std::back_inserter(sorted), [](double s) { return !std::isnan(s); });
  if (sorted.empty()) return kNaN;
  std::ranges::sort(sorted);
  const double place = 0.95 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const double above = sorted[std::min(below + 1, sorted.size() - 1)];
  return sorted[below] + (place - static_cast<double>(below)) * (above - sorted[below]);
}

}  // namespace gridsweep::worker

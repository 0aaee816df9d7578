#include "worker/unit_maps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "science/scoring/lattice.h"

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kPeaks = 6;
constexpr int kSmallestScoredMap = 4;
constexpr size_t kPublishedUnits = 1024;

// SplitMix64's output function: a permutation of 64-bit numbers that looks
// random. Drawing by the smallest keys needs no order of calls.
uint64_t Scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

void ScoreUnit(const scoring::GridScorer& scorer, bool in_full, int unit, UnitMaps& maps) {
  const auto ratemap = maps.Ratemap(unit);
  scoring::GridScores scores;
  if (in_full) {
    const scoring::GridScorer::All all = scorer.ScoreAll(ratemap);
    scores = all.scores;
    // A period is that of a scored map: a flat one has ripples only.
    if (!std::isnan(scores.grid_score_60)) {
      const scoring::GridPhase phase = scoring::PhaseOf(ratemap, maps.nx, all.period);
      maps.phase_x[unit] = phase.x;
      maps.phase_y[unit] = phase.y;
      maps.orientation_spread_rad[unit] = scoring::OrientationSpread(all.period);
      maps.score_60_means[unit] = scores.grid_score_60_means;
      maps.score_60_circle[unit] = all.grid_score_60_circle;
      maps.period_bins[unit] = all.period.period_bins;
      maps.period_error_bins[unit] = all.period.period_error_bins;
      std::ranges::copy(all.period.orientations_rad,
                        maps.orientations_rad.begin() + static_cast<ptrdiff_t>(unit) * kPeaks);
    }
  } else {
    scores = scorer.Score(ratemap);
  }
  maps.score_60[unit] = scores.grid_score_60;
  maps.score_90[unit] = scores.grid_score_90;
  const ptrdiff_t row = static_cast<ptrdiff_t>(unit) * scoring::kMasks;
  std::ranges::copy(scores.mask_60, maps.mask_60.begin() + row);
  std::ranges::copy(scores.mask_90, maps.mask_90.begin() + row);
}

}  // namespace

scoring::BinGrid FullGrid(const science::RunConfig& config) {
  const auto bins = [&](double length) {
    return std::max(1, static_cast<int>(std::lround(length / config.bin_side_in_m)));
  };
  return {bins(config.box_width_in_m), bins(config.box_height_in_m), config.box_width_in_m,
          config.box_height_in_m};
}

scoring::BinGrid CoarseGrid(const science::RunConfig& config, int bins) {
  const double side = config.box_width_in_m / bins;
  const int ny = std::max(1, static_cast<int>(std::lround(config.box_height_in_m / side)));
  return {bins, ny, config.box_width_in_m, config.box_height_in_m};
}

std::optional<UnitMaps> MapAndScore(const science::RunConfig& config,
                                    const integrator::Evaluation& evaluation,
                                    const scoring::BinGrid& grid, bool in_full,
                                    const UnitCallback& on_unit) {
  const int units = static_cast<int>(config.Ng);
  UnitMaps maps;
  maps.units = units;
  maps.nx = grid.nx;
  maps.ny = grid.ny;
  {
    scoring::RatemapAccumulator accumulator(grid, units);
    accumulator.Add(evaluation.positions, evaluation.activity);
    maps.occupancy = accumulator.occupancy();
    maps.ratemaps = accumulator.Ratemaps();
  }
  const size_t n = static_cast<size_t>(units);
  for (auto* column : {&maps.score_60, &maps.score_90, &maps.period_bins, &maps.period_error_bins,
                       &maps.orientation_spread_rad, &maps.phase_x, &maps.phase_y,
                       &maps.score_60_means, &maps.score_60_circle}) {
    column->assign(n, kNaN);
  }
  maps.mask_60.assign(n * scoring::kMasks, kNaN);
  maps.mask_90.assign(n * scoring::kMasks, kNaN);
  maps.orientations_rad.assign(n * kPeaks, kNaN);

  // The autocorrelogram of a map that is not square has no rotations.
  const bool scored = config.box_width_in_m == config.box_height_in_m && grid.nx == grid.ny &&
                      grid.nx >= kSmallestScoredMap;
  if (!scored) return maps;
  const scoring::GridScorer scorer(grid.nx, {.mask_unvisited = config.sac_mask_unvisited});
  for (int unit = 0; unit < units; ++unit) {
    ScoreUnit(scorer, in_full, unit, maps);
    if (on_unit && !on_unit(static_cast<uint64_t>(unit) + 1)) return std::nullopt;
  }
  return maps;
}

std::array<double, science::kPublishedThresholds.size()> FractionsAbove(
    std::span<const double> scores) {
  std::array<double, science::kPublishedThresholds.size()> fractions{};
  for (size_t i = 0; i < fractions.size(); ++i) {
    const auto above = std::ranges::count_if(
        scores, [&](double score) { return score > science::kPublishedThresholds[i]; });
    fractions[i] = static_cast<double>(above) / static_cast<double>(scores.size());
  }
  return fractions;
}

double MaxScore(std::span<const double> scores) {
  double best = kNaN;
  for (double score : scores) {
    if (!(score <= best) && !std::isnan(score)) best = score;
  }
  return best;
}

double MaxScoreOf1024(std::span<const double> scores, int64_t seed) {
  if (scores.size() <= kPublishedUnits) return MaxScore(scores);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const uint64_t stream = Scramble(static_cast<uint64_t>(seed));
  // No two keys are equal: Scramble is a permutation.
  std::ranges::nth_element(order, order.begin() + kPublishedUnits, std::less<>(),
                           [&](size_t unit) { return Scramble(stream + unit); });
  std::vector<double> drawn;
  for (size_t i = 0; i < kPublishedUnits; ++i) drawn.push_back(scores[order[i]]);
  return MaxScore(drawn);
}

}  // namespace gridsweep::worker

#include "science/scoring/grid_scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "science/scoring/autocorrelogram.h"
#include "science/scoring/growing_circle.h"
#include "science/scoring/kernels.h"
#include "science/scoring/period.h"
#include "science/scoring/rotation.h"

namespace gridsweep::scoring {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One thread scores one map at a time: its buffers stay warm from map to map.
struct Work {
  Autocorrelator::Work autocorrelator;
  RingRotations::Work rotations;
  std::vector<double> map;  // all lags
};
Work& ThreadWork() {
  thread_local Work work;
  return work;
}

GridScores NoScores() {
  GridScores scores{.grid_score_60 = kNaN,
                    .grid_score_90 = kNaN,
                    .grid_score_60_means = kNaN,
                    .mask_60 = {},
                    .mask_90 = {},
                    .best_mask_60 = -1,
                    .best_mask_90 = -1};
  scores.mask_60.fill(kNaN);
  scores.mask_90.fill(kNaN);
  return scores;
}

GridScores ScoresOf(const std::array<TurnedCorrelations, kMasks>& correlations) {
  GridScores scores = NoScores();
  for (int m = 0; m < kMasks; ++m) {
    const TurnedCorrelations& c = correlations[m];
    scores.mask_60[m] = std::min(c.at_60, c.at_120) - std::max({c.at_30, c.at_90, c.at_150});
    scores.mask_90[m] = c.at_90 - (c.at_45 + c.at_135) / 2;
    scores.grid_score_60_means = std::fmax(
        scores.grid_score_60_means, (c.at_60 + c.at_120) / 2 - (c.at_30 + c.at_90 + c.at_150) / 3);
  }
  const auto best_60 = std::ranges::max_element(scores.mask_60);
  const auto best_90 = std::ranges::max_element(scores.mask_90);
  scores.grid_score_60 = *best_60;
  scores.grid_score_90 = *best_90;
  scores.best_mask_60 = static_cast<int>(best_60 - scores.mask_60.begin());
  scores.best_mask_90 = static_cast<int>(best_90 - scores.mask_90.begin());
  return scores;
}

}  // namespace

struct GridScorer::Tables {
  Tables(int n, Options o)
      : nbins(n),
        side(2 * n - 1),
        options(o),
        autocorrelator(n, *SupportedKernels().back()),
        rotations(n, *SupportedKernels().back()) {}

  // Leaves the SAC of the map last given to autocorrelator.Correlate in work.map.
  void MakeSac(std::span<const double> ratemap, Work& work) const {
    autocorrelator.Normalize(ratemap, options.mask_unvisited, work.autocorrelator);
    work.map.resize(static_cast<size_t>(side) * side);
    autocorrelator.Unfold(work.autocorrelator.pearson, work.map.data());
  }
  Period FindPeriod(Work& work) const {
    work.map.resize(static_cast<size_t>(side) * side);
    autocorrelator.Unfold(work.autocorrelator.product, work.map.data());
    return FindPeaks(work.map, nbins);
  }

  int nbins, side;
  Options options;
  Autocorrelator autocorrelator;
  RingRotations rotations;
};

GridScorer::GridScorer(int nbins) : GridScorer(nbins, Options()) {}
GridScorer::GridScorer(int nbins, Options options)
    : tables_(std::make_unique<const Tables>(nbins, options)) {}
GridScorer::~GridScorer() = default;

int GridScorer::nbins() const { return tables_->nbins; }
int GridScorer::MaskArea(int i) const { return tables_->rotations.MaskArea(i); }

bool GridScorer::HasNoVariance(std::span<const double> ratemap) {
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  for (const double rate : ratemap) {
    // Comparisons with NaN are false: unvisited bins change nothing.
    if (rate < lowest) lowest = rate;
    if (rate > highest) highest = rate;
  }
  if (lowest > highest) return true;
  return highest - lowest <= 1e-12 * std::max(std::abs(lowest), std::abs(highest));
}

std::vector<double> GridScorer::Autocorrelogram(std::span<const double> ratemap) const {
  Work& work = ThreadWork();
  tables_->autocorrelator.Correlate(ratemap, work.autocorrelator);
  tables_->MakeSac(ratemap, work);
  return work.map;
}

GridScores GridScorer::Score(std::span<const double> ratemap) const {
  if (HasNoVariance(ratemap)) return NoScores();
  Work& work = ThreadWork();
  tables_->autocorrelator.Correlate(ratemap, work.autocorrelator);
  tables_->MakeSac(ratemap, work);
  return ScoresOf(tables_->rotations.Correlate(work.map, work.rotations));
}

GridScores GridScorer::ScoreAutocorrelogram(std::span<const double> sac) const {
  Work& work = ThreadWork();
  // Point-symmetric to the bit, as the sums over half of the lags take it to be.
  work.map.resize(sac.size());
  for (size_t i = 0; i < sac.size(); ++i) work.map[i] = (sac[i] + sac[sac.size() - 1 - i]) / 2;
  return ScoresOf(tables_->rotations.Correlate(work.map, work.rotations));
}

Period GridScorer::FindPeriod(std::span<const double> ratemap) const {
  Work& work = ThreadWork();
  tables_->autocorrelator.Correlate(ratemap, work.autocorrelator);
  return tables_->FindPeriod(work);
}

GridScorer::All GridScorer::ScoreAll(std::span<const double> ratemap) const {
  Work& work = ThreadWork();
  tables_->autocorrelator.Correlate(ratemap, work.autocorrelator);
  All all{NoScores(), tables_->FindPeriod(work), kNaN};
  if (HasNoVariance(ratemap)) return all;
  tables_->MakeSac(ratemap, work);
  all.scores = ScoresOf(tables_->rotations.Correlate(work.map, work.rotations));
  all.grid_score_60_circle = GrowingCircleScore(work.map, tables_->nbins);
  return all;
}

}  // namespace gridsweep::scoring

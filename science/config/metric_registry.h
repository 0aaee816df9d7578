// Every metric that Gridsweep stores: its name (also its column), level,
// definition and unit. A new metric is a line here and a migration.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace gridsweep::science {

enum class MetricLevel { kUnit, kRun };

struct Metric {
  std::string_view name;
  MetricLevel level;
  // Its rollup has a histogram over the score bins below.
  bool binned;
  std::string_view unit;  // "1" for a pure number
  std::string_view definition;
};

// All metrics, unit level first, in column order.
std::span<const Metric> Metrics();
// nullptr when there is none of that name. "decoding_error_cm" is an alias of
// "pos_err_published" and finds it.
const Metric* FindMetric(std::string_view name);

// Grid-score thresholds used in the published figures, and how names of metrics end that belong to
// one of them.
inline constexpr std::array<double, 6> kPublishedThresholds = {0.3, 0.75, 0.8, 0.85, 1.0, 1.15};
inline constexpr std::array<std::string_view, 6> kThresholdSuffixes = {"030", "075", "080",
                                                                       "085", "100", "115"};

// Score bins: bin k of 0..401 holds e[k-1] < x <= e[k], where e[j] is the
// float64 nearest (j - 200) / 100; bin 0 is x <= -2, bin 401 is x > 2.
inline constexpr int kScoreEdges = 401;
inline constexpr int kScoreBins = kScoreEdges + 1;
const std::array<double, kScoreEdges>& ScoreEdges();
// The bin of a finite `score`, by binary search among the edges.
int ScoreBin(double score);

}  // namespace gridsweep::science

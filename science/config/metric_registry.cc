#include "science/config/metric_registry.h"

#include <algorithm>

namespace gridsweep::science {
namespace {

constexpr auto kUnit = MetricLevel::kUnit;
constexpr auto kRun = MetricLevel::kRun;

constexpr Metric kMetrics[] = {
    {"grid_score_60", kUnit, true, "1",
     "min of SAC correlations at 60, 120 deg minus max at 30, 90, 150 deg, maximum over ten ring "
     "masks; 44 x 44 ratemap (Schaeffer et al. 2022)"},
    {"grid_score_90", kUnit, true, "1",
     "SAC correlation at 90 deg minus mean at 45, 135 deg, maximum over ten ring masks; 44 x 44 "
     "ratemap (Schaeffer et al. 2022)"},
    {"grid_score_60_n20", kUnit, true, "1", "grid_score_60 of the 20 x 20 ratemap"},
    {"grid_score_90_n20", kUnit, true, "1", "grid_score_90 of the 20 x 20 ratemap"},
    {"grid_score_60_n32", kUnit, true, "1", "grid_score_60 of the 32 x 32 ratemap"},
    {"grid_score_90_n32", kUnit, true, "1", "grid_score_90 of the 32 x 32 ratemap"},
    {"period_bins", kUnit, false, "bin",
     "mean distance of the six SAC peaks nearest to the centre; 44 x 44 ratemap"},
    {"period_error_bins", kUnit, false, "bin", "population standard deviation of those distances"},
    {"orientation_rad", kUnit, false, "rad",
     "smallest non-negative angle of those peaks, atan2(second index, first index)"},
    {"mean_rate", kUnit, false, "1", "mean of the visited bins of the 44 x 44 ratemap"},
    {"peak_rate", kUnit, false, "1", "maximum of the visited bins of the 44 x 44 ratemap"},
    {"spatial_information", kUnit, false, "bit/spike",
     "Skaggs et al. 1993, occupancy-weighted; maps with negative rates after subtracting their "
     "minimum"},

    {"loss", kRun, false, "1", "training loss of the last step, weight decay included"},
    {"pos_err_published", kRun, false, "cm",
     "mean Euclidean decoding error at evaluation, published rule: top-3 vote (the 3 least active "
     "for true_difference_of_gaussians)"},
    {"pos_err_most_active", kRun, false, "cm", "decoding error of the 3 most active cells' vote"},
    {"pos_err_target", kRun, false, "cm",
     "decoding error of the published rule on the exact target"},
    {"pos_err_template", kRun, false, "cm",
     "decoding error of the best-matching target on an 88 x 88 lattice"},
    {"max_grid_score_60", kRun, false, "1", "largest grid_score_60 of the run's units"},
    {"max_score_60_1024", kRun, false, "1",
     "largest grid_score_60 of a seeded 1024 units (all where there are no more)"},
    {"max_grid_score_90", kRun, false, "1", "largest grid_score_90 of the run's units"},
};

}  // namespace

std::span<const Metric> Metrics() { return kMetrics; }

const Metric* FindMetric(std::string_view name) {
  if (name == "decoding_error_cm") name = "pos_err_published";
  const auto* found = std::ranges::find(kMetrics, name, &Metric::name);
  return found == std::end(kMetrics) ? nullptr : found;
}

const std::array<double, kScoreEdges>& ScoreEdges() {
  static const auto edges = [] {
    std::array<double, kScoreEdges> e{};
    for (int k = 0; k < kScoreEdges; ++k) e[k] = (k - 200) / 100.0;
    return e;
  }();
  return edges;
}

int ScoreBin(double score) {
  const auto& edges = ScoreEdges();
  return static_cast<int>(std::ranges::lower_bound(edges, score) - edges.begin());
}

}  // namespace gridsweep::science

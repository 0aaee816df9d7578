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
    {"grid_score_60_means", kUnit, true, "1",
     "mean of SAC correlations at 60, 120 deg minus mean at 30, 90, 150 deg, maximum over ten ring "
     "masks (Butler et al. 2019; the default of Banino's and Sorscher's scorers); 44 x 44 ratemap"},
    {"grid_score_60_circle", kUnit, true, "1",
     "min of SAC correlations at 60, 120 deg minus max at 30, 90, 150 deg within a circle that "
     "grows round the central field, best mean of 3 neighbouring radii (after opexebo, the Moser "
     "group's package); 44 x 44 ratemap"},
    {"period_bins", kUnit, false, "bin",
     "mean distance of the six SAC peaks nearest to the centre; 44 x 44 ratemap"},
    {"period_error_bins", kUnit, false, "bin", "population standard deviation of those distances"},
    {"orientation_rad", kUnit, false, "rad",
     "smallest non-negative angle of those peaks, atan2(second index, first index)"},
    {"orientation_spread_rad", kUnit, false, "rad",
     "circular standard deviation of the six peaks' angles modulo 60 deg"},
    {"phase_x", kUnit, false, "cell",
     "share of the unit cell by which a node lies off the box centre along the lattice's first "
     "axis, in [0, 1) (Hafting et al. 2005, Yoon et al. 2013)"},
    {"phase_y", kUnit, false, "cell", "the same along the lattice's second axis"},
    {"field_count", kUnit, false, "field",
     "fields: 4-connected bins with at least 0.3 of the map's maximum, at least 200 cm2; 44 x 44 "
     "ratemap"},
    {"border_score", kUnit, false, "1",
     "(c - d)/(c + d): c the largest share of a wall that one field covers, d the rate-weighted "
     "mean distance of field bins to the nearest wall, over half the side (Solstad et al. 2008)"},
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
    {"pos_err_chance", kRun, false, "cm",
     "error of always answering the centre of the box, on the evaluation's positions"},
    {"max_grid_score_60", kRun, false, "1", "largest grid_score_60 of the run's units"},
    {"max_score_60_1024", kRun, false, "1",
     "largest grid_score_60 of a seeded 1024 units (all where there are no more)"},
    {"max_grid_score_90", kRun, false, "1", "largest grid_score_90 of the run's units"},
    {"participation_ratio", kRun, false, "1",
     "(sum l)^2 / sum l^2 of the eigenvalues l of the covariance of the units' activity at "
     "evaluation"},
    {"participation_ratio_ratemaps", kRun, false, "1",
     "participation ratio of the 44 x 44 ratemaps, units as samples, after a Gaussian filter "
     "(sigma 2 bins)"},
    {"ratemap_rank", kRun, false, "1",
     "rank of the matrix of those filtered ratemaps (singular values above the rounding error)"},
    {"two_nn_dimension", kRun, false, "1",
     "intrinsic dimension of the first 10,000 evaluation samples by TwoNN (Facco et al. 2017)"},
    {"moments_dimension", kRun, false, "1",
     "the same by the method of moments, 100 neighbours (Amsaleg et al. 2018)"},
    {"input_kernel_sq", kRun, false, "1",
     "sum of squares of the recurrent layer's input kernel, all gates, without biases"},
    {"recurrent_kernel_sq", kRun, false, "1",
     "sum of squares of the recurrent kernel, all gates, without biases: what weight_decay "
     "multiplies in a recurrent network's loss"},
    {"chance_score_60_p95", kRun, false, "1",
     "95th percentile of grid_score_60 over field-preserving shuffles of chance_units units, "
     "chance_shuffles each (after Barry and Burgess 2017)"},
    {"chance_fraction_above_030", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 0.3"},
    {"chance_fraction_above_075", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 0.75"},
    {"chance_fraction_above_080", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 0.8"},
    {"chance_fraction_above_085", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 0.85"},
    {"chance_fraction_above_100", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 1.0"},
    {"chance_fraction_above_115", kRun, false, "1",
     "share of those shuffles with grid_score_60 > 1.15"},
    {"untrained_max_score_60", kRun, false, "1",
     "largest grid_score_60 of the untrained network of the same seed"},
    {"untrained_fraction_above_030", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 0.3"},
    {"untrained_fraction_above_075", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 0.75"},
    {"untrained_fraction_above_080", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 0.8"},
    {"untrained_fraction_above_085", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 0.85"},
    {"untrained_fraction_above_100", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 1.0"},
    {"untrained_fraction_above_115", kRun, false, "1",
     "share of the untrained network's units with grid_score_60 > 1.15"},
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

#include "worker/result_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "science/scoring/fields.h"
#include "science/scoring/intrinsic_dimension.h"
#include "science/scoring/population.h"
#include "science/scoring/smooth_map.h"
#include "science/scoring/unit_metrics.h"

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// The samples whose neighbours are sought.
constexpr int64_t kDimensionSamples = 10'000;

}  // namespace

double FiniteOrNaN(double value) { return std::isfinite(value) ? value : kNaN; }

std::vector<UnitColumn> UnitColumns(const science::RunConfig& config, const UnitMaps& full,
                                    const UnitMaps& n32, const UnitMaps& n20) {
  const scoring::BinGrid grid = FullGrid(config);
  const int units = full.units;
  std::vector<double> orientation(static_cast<size_t>(units), kNaN), mean(orientation),
      peak(orientation), information(orientation), field_count(orientation), border(orientation);
  for (int unit = 0; unit < units; ++unit) {
    for (int i = 0; i < 6; ++i) {
      const double angle = full.orientations_rad[static_cast<size_t>(unit) * 6 + i];
      if (angle >= 0 && !(orientation[unit] <= angle)) orientation[unit] = angle;
    }
    const auto ratemap = full.Ratemap(unit);
    mean[unit] = scoring::MeanRate(ratemap);
    peak[unit] = scoring::PeakRate(ratemap);
    information[unit] = scoring::SpatialInformation(ratemap, full.occupancy);
    const auto fields = scoring::FindFields(ratemap, grid);
    field_count[unit] = static_cast<double>(fields.size());
    border[unit] = scoring::BorderScore(ratemap, fields, grid);
  }
  std::vector<UnitColumn> columns = {
      {"grid_score_60", full.score_60},
      {"grid_score_90", full.score_90},
      {"grid_score_60_n20", n20.score_60},
      {"grid_score_90_n20", n20.score_90},
      {"grid_score_60_n32", n32.score_60},
      {"grid_score_90_n32", n32.score_90},
      {"grid_score_60_means", full.score_60_means},
      {"grid_score_60_circle", full.score_60_circle},
      {"period_bins", full.period_bins},
      {"period_error_bins", full.period_error_bins},
      {"orientation_rad", std::move(orientation)},
      {"orientation_spread_rad", full.orientation_spread_rad},
      {"phase_x", full.phase_x},
      {"phase_y", full.phase_y},
      {"field_count", std::move(field_count)},
      {"border_score", std::move(border)},
      {"mean_rate", std::move(mean)},
      {"peak_rate", std::move(peak)},
      {"spatial_information", std::move(information)},
  };
  for (UnitColumn& column : columns)
    for (double& value : column.values) value = FiniteOrNaN(value);
  return columns;
}

std::optional<std::map<std::string, double>> PopulationMetrics(
    const integrator::Evaluation& evaluation, const UnitMaps& full,
    const std::function<bool()>& go_on) {
  std::map<std::string, double> metrics;
  const std::span<const float> activity = evaluation.activity;
  metrics["participation_ratio"] = scoring::ParticipationRatio(activity, full.units);
  if (!go_on()) return std::nullopt;

  const auto first = static_cast<size_t>(std::min(evaluation.samples, kDimensionSamples));
  const auto dimension = scoring::EstimateDimension(
      activity.first(first * static_cast<size_t>(full.units)), full.units, go_on);
  if (!dimension) return std::nullopt;
  metrics["two_nn_dimension"] = dimension->two_nn;
  metrics["moments_dimension"] = dimension->moments;

  std::vector<double> smooth;
  smooth.reserve(full.ratemaps.size());
  for (int unit = 0; unit < full.units; ++unit) {
    const std::vector<double> map = scoring::SmoothMap(full.Ratemap(unit), full.nx, full.ny);
    smooth.insert(smooth.end(), map.begin(), map.end());
  }
  metrics["participation_ratio_ratemaps"] = scoring::ParticipationRatio(smooth, full.nx * full.ny);
  metrics["ratemap_rank"] = scoring::Rank(smooth, full.nx * full.ny);
  return metrics;
}

double ChanceErrorCm(const integrator::Evaluation& evaluation) {
  double sum = 0;
  for (size_t i = 0; i + 1 < evaluation.positions.size(); i += 2) {
    sum += std::hypot(evaluation.positions[i], evaluation.positions[i + 1]);
  }
  return 100 * sum / static_cast<double>(evaluation.samples);
}

}  // namespace gridsweep::worker

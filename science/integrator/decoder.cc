#include "science/integrator/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace gridsweep::integrator {
namespace {

// The cells that rank first by activity (descending, or ascending for `least`).
std::array<int64_t, 3> FirstThree(const float* activity, int64_t cells, bool least,
                                  int64_t& found) {
  const float worst = -std::numeric_limits<float>::infinity();
  std::array<float, 3> best = {worst, worst, worst};
  std::array<int64_t, 3> index = {0, 0, 0};
  found = 0;
  for (int64_t i = 0; i < cells; ++i) {
    const float value = least ? -activity[i] : activity[i];
    if (found == 3 && !(value > best[2])) continue;
    size_t at = static_cast<size_t>(std::min<int64_t>(found, 2));
    while (at > 0 && value > best[at - 1]) {
      best[at] = best[at - 1];
      index[at] = index[at - 1];
      --at;
    }
    best[at] = value;
    index[at] = i;
    found = std::min<int64_t>(found + 1, 3);
  }
  return index;
}

// Mean and summed population variance of `n` points, each taken at its image
// nearest to the first one.
struct Cluster {
  Vec2 mean;
  double variance;
};
Cluster ClusterOf(const Box& box, const std::array<Vec2, 3>& points, int64_t n) {
  std::array<Vec2, 3> near = points;
  Vec2 mean = {0, 0};
  for (int64_t i = 0; i < n; ++i) {
    auto& p = near[static_cast<size_t>(i)];
    if (box.periodic) {
      p.x = points[0].x + WrapCoordinate(p.x - points[0].x, box.width);
      p.y = points[0].y + WrapCoordinate(p.y - points[0].y, box.height);
    }
    mean.x += p.x / static_cast<double>(n);
    mean.y += p.y / static_cast<double>(n);
  }
  double variance = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto& p = near[static_cast<size_t>(i)];
    variance += (p.x - mean.x) * (p.x - mean.x) + (p.y - mean.y) * (p.y - mean.y);
  }
  return {mean, variance / static_cast<double>(n)};
}

double CircularMean(const std::array<Vec2, 3>& points, int64_t n, double Vec2::*coordinate,
                    double side) {
  const double to_angle = 2 * std::numbers::pi / side;
  double sine = 0, cosine = 0;
  for (int64_t i = 0; i < n; ++i) {
    sine += std::sin(points[static_cast<size_t>(i)].*coordinate * to_angle);
    cosine += std::cos(points[static_cast<size_t>(i)].*coordinate * to_angle);
  }
  return std::atan2(sine, cosine) / to_angle;
}

}  // namespace

double Distance(const Box& box, Vec2 a, Vec2 b) {
  double dx = a.x - b.x, dy = a.y - b.y;
  if (box.periodic) {
    dx = WrapCoordinate(dx, box.width);
    dy = WrapCoordinate(dy, box.height);
  }
  return std::hypot(dx, dy);
}

Decoder::Decoder(const science::RunConfig& config, const ReadoutMap& readout)
    : box_(BoxOf(config)),
      readout_(readout),
      outputs_(readout.outputs()),
      least_active_(config.place_field_values == science::Readout::kTrueDifferenceOfGaussians) {
  if (const PlaceCells* cells = readout.place_cells()) {
    const ReadoutParameters& p = cells->parameters();
    for (int64_t i = 0; i < p.cells; ++i) {
      const double* first = &p.widths[static_cast<size_t>(i * p.fields)];
      field_counts_.push_back(
          std::count_if(first, first + p.fields, [](double width) { return !std::isnan(width); }));
    }
    return;
  }
  // A+ = A' (A A')^-1 for the 2 x outputs map A.
  const auto a = readout.linear_map();
  const auto n = static_cast<size_t>(outputs_);
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < n; ++i) {
    xx += a[i] * a[i];
    xy += a[i] * a[n + i];
    yy += a[n + i] * a[n + i];
  }
  const double determinant = xx * yy - xy * xy;
  for (size_t i = 0; i < n; ++i) {
    inverse_.push_back((a[i] * yy - a[n + i] * xy) / determinant);
    inverse_.push_back((a[n + i] * xx - a[i] * xy) / determinant);
  }
}

Vec2 Decoder::Linear(const float* activity) const {
  const auto offset = readout_.linear_offset();
  Vec2 p = {0, 0};
  for (size_t i = 0; i < static_cast<size_t>(outputs_); ++i) {
    const double centred = activity[i] - offset[i];
    p.x += centred * inverse_[2 * i];
    p.y += centred * inverse_[2 * i + 1];
  }
  return p;
}

Vec2 Decoder::Vote(const float* activity, bool least) const {
  const ReadoutParameters& cells = readout_.place_cells()->parameters();
  int64_t voters = 0;
  const auto index = FirstThree(activity, outputs_, least, voters);
  std::array<int64_t, 3> counts = {1, 1, 1};
  for (int64_t v = 0; v < voters; ++v) {
    const auto at = static_cast<size_t>(v);
    counts[at] = field_counts_[static_cast<size_t>(index[at])];
  }
  std::array<Vec2, 3> best{};
  double least_variance = std::numeric_limits<double>::infinity();
  for (int64_t a = 0; a < counts[0]; ++a) {
    for (int64_t b = 0; b < counts[1]; ++b) {
      for (int64_t c = 0; c < counts[2]; ++c) {
        const std::array<int64_t, 3> field = {a, b, c};
        std::array<Vec2, 3> points{};
        for (int64_t v = 0; v < voters; ++v) {
          const auto at = static_cast<size_t>(v);
          const auto center = static_cast<size_t>(2 * (index[at] * cells.fields + field[at]));
          points[at] = {cells.centers[center], cells.centers[center + 1]};
        }
        const double variance = ClusterOf(box_, points, voters).variance;
        if (variance < least_variance) {
          least_variance = variance;
          best = points;
        }
      }
    }
  }
  if (!box_.periodic) return ClusterOf(box_, best, voters).mean;
  return {CircularMean(best, voters, &Vec2::x, box_.width),
          CircularMean(best, voters, &Vec2::y, box_.height)};
}

Vec2 Decoder::Published(const float* activity) const {
  return votes() ? Vote(activity, least_active_) : Linear(activity);
}

Vec2 Decoder::MostActive(const float* activity) const { return Vote(activity, false); }

}  // namespace gridsweep::integrator

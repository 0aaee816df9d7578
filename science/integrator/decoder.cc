#include "science/integrator/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace gridsweep::integrator {
namespace {

using science::Readout;

// The cells that rank first by activity (descending, or ascending for `least`).
std::array<size_t, 3> FirstThree(const float* activity, int64_t cells, bool least) {
  std::array<float, 3> best{};
  std::array<size_t, 3> index{};
  for (size_t i = 0; i < static_cast<size_t>(cells); ++i) {
    const float value = least ? -activity[i] : activity[i];
    if (i >= 3 && !(value > best[2])) continue;
    size_t at = std::min<size_t>(i, 2);
    while (at > 0 && value > best[at - 1]) {
      best[at] = best[at - 1];
      index[at] = index[at - 1];
      --at;
    }
    best[at] = value;
    index[at] = i;
  }
  return index;
}

double CircularMean(const std::array<Vec2, 3>& points, double Vec2::*coordinate, double side) {
  const double to_angle = 2 * std::numbers::pi / side;
  double sine = 0, cosine = 0;
  for (const Vec2& point : points) {
    sine += std::sin(point.*coordinate * to_angle);
    cosine += std::cos(point.*coordinate * to_angle);
  }
  return std::atan2(sine, cosine) / to_angle;
}

Vec2 Difference(const Box& box, Vec2 a, Vec2 b) {
  const Vec2 d = {a.x - b.x, a.y - b.y};
  if (!box.periodic) return d;
  return {WrapCoordinate(d.x, box.width), WrapCoordinate(d.y, box.height)};
}

double SquaredDistance(const Box& box, Vec2 a, Vec2 b) {
  const Vec2 d = Difference(box, a, b);
  return d.x * d.x + d.y * d.y;
}

// The pseudo-inverse of the 2 x n map A, [n, 2]: A' (A A')^-1, and for the single
// column of n = 1, A' / |A|^2.
std::vector<double> PseudoInverse(std::span<const double> a) {
  const size_t n = a.size() / 2;
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < n; ++i) {
    xx += a[i] * a[i];
    xy += a[i] * a[n + i];
    yy += a[n + i] * a[n + i];
  }
  if (n == 1) return {a[0] / (xx + yy), a[1] / (xx + yy)};
  const double determinant = xx * yy - xy * xy;
  std::vector<double> inverse;
  for (size_t i = 0; i < n; ++i) {
    inverse.push_back((a[i] * yy - a[n + i] * xy) / determinant);
    inverse.push_back((a[n + i] * xx - a[i] * xy) / determinant);
  }
  return inverse;
}

Vec2 FromPolar(double r, double theta) { return {r * std::cos(theta), r * std::sin(theta)}; }

}  // namespace

double Distance(const Box& box, Vec2 a, Vec2 b) {
  const Vec2 d = Difference(box, a, b);
  return std::hypot(d.x, d.y);
}

Decoder::Decoder(const science::RunConfig& config, const ReadoutMap& readout)
    : box_(BoxOf(config)),
      readout_(readout),
      kind_(config.place_field_values),
      outputs_(readout.outputs()) {
  const ReadoutParameters& p = readout.parameters();
  if (kind_ == Readout::kHighDimCartesian) inverse_ = PseudoInverse(p.linear_map);
  if (kind_ == Readout::kHighDimPolar) {
    double square = 0;
    for (double a : p.radius_map) square += a * a;
    for (double a : p.radius_map) inverse_.push_back(a / square);
  }
  if (!votes()) return;
  for (int64_t i = 0; i < p.cells; ++i) {
    const double* first = &p.widths[static_cast<size_t>(i * p.fields)];
    field_counts_.push_back(
        std::count_if(first, first + p.fields, [](double width) { return !std::isnan(width); }));
  }
}

Vec2 Decoder::Linear(const float* activity) const {
  const auto& offset = readout_.parameters().linear_offset;
  Vec2 p = {0, 0};
  for (size_t i = 0; i < offset.size(); ++i) {
    const double centred = activity[i] - offset[i];
    p.x += centred * inverse_[2 * i];
    p.y += centred * inverse_[2 * i + 1];
  }
  return p;
}

Vec2 Decoder::Polar(const float* activity) const {
  const ReadoutParameters& p = readout_.parameters();
  const size_t half = inverse_.size();
  double r = 0;
  for (size_t i = 0; i < half; ++i) r += (activity[i] - p.radius_offset[i]) * inverse_[i];
  const float* angular = activity + half;
  const auto most = std::max_element(angular, angular + half) - angular;
  return FromPolar(r, p.preferred_angles[static_cast<size_t>(most)]);
}

Vec2 Decoder::Vote(const float* activity, bool least) const {
  const ReadoutParameters& cells = readout_.parameters();
  const auto voters = FirstThree(activity, outputs_, least);
  const auto center = [&](size_t voter, int64_t field) -> Vec2 {
    const size_t at = 2 * (voters[voter] * static_cast<size_t>(cells.fields) + size_t(field));
    return {cells.centers[at], cells.centers[at + 1]};
  };
  std::array<Vec2, 3> best = {center(0, 0), center(1, 0), center(2, 0)};
  // The variance of three points is the sum of their squared distances / 9. Taken from
  // wrapped distances in a periodic box, it does not depend on where the box is cut.
  double least_sum = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < field_counts_[voters[0]]; ++i) {
    const Vec2 a = center(0, i);
    for (int64_t j = 0; j < field_counts_[voters[1]]; ++j) {
      const Vec2 b = center(1, j);
      const double ab = SquaredDistance(box_, a, b);
      if (ab >= least_sum) continue;
      for (int64_t k = 0; k < field_counts_[voters[2]]; ++k) {
        const Vec2 c = center(2, k);
        const double sum = ab + SquaredDistance(box_, a, c) + SquaredDistance(box_, b, c);
        if (sum >= least_sum) continue;
        least_sum = sum;
        best = {a, b, c};
      }
    }
  }
  if (box_.periodic) {
    return {CircularMean(best, &Vec2::x, box_.width), CircularMean(best, &Vec2::y, box_.height)};
  }
  return {best[0].x / 3 + best[1].x / 3 + best[2].x / 3,
          best[0].y / 3 + best[1].y / 3 + best[2].y / 3};
}

Vec2 Decoder::Published(const float* activity) const {
  switch (kind_) {
    case Readout::kCartesian:
      return {activity[0], activity[1]};
    case Readout::kHighDimCartesian:
      return Linear(activity);
    case Readout::kPolar:
      return FromPolar(activity[0], activity[1]);
    case Readout::kHighDimPolar:
      return Polar(activity);
    default:
      return Vote(activity, kind_ == Readout::kTrueDifferenceOfGaussians);
  }
}

Vec2 Decoder::MostActive(const float* activity) const { return Vote(activity, false); }

}  // namespace gridsweep::integrator

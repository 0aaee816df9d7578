#include "science/scoring/rotation.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace gridsweep::scoring {
namespace {

// Ring that a lag falls into: the first mask that holds it, kMasks for none.
int RingOf(int x, int y, int n) {
  const double r = std::sqrt(x * x + y * y);
  if (!(r > 0.2 * n)) return kMasks;
  const double step = (1.0 - 0.4) / (kMasks - 1);
  for (int m = 0; m < kMasks; ++m) {
    const double outer = m == kMasks - 1 ? 1.0 : m * step + 0.4;
    if (r <= outer * n) return m;
  }
  return kMasks;
}

// Values of the four B-splines over a point `t` beyond the second knot, times six.
std::array<double, 4> SplineWeights(double t) {
  const double u = 1 - t;
  return {u * u * u, 4 - t * t * (6 - 3 * t), 4 - u * u * (6 - 3 * u), t * t * t};
}

// Lag with the same coefficient within [-limit, limit].
int Mirror(int lag, int limit) {
  if (lag > limit) return 2 * limit - lag;
  if (lag < -limit) return -2 * limit - lag;
  return lag;
}

}  // namespace

RingRotations::RingRotations(int nbins, const Kernels& kernels)
    : n_(nbins),
      side_(2 * nbins - 1),
      filter_width_((nbins + kLanes - 1) / kLanes * kLanes),
      kernels_(kernels) {
  areas_.fill(0);
  for (int ring = 0; ring < kMasks; ++ring) {
    by_30_.ring_begin[ring] = static_cast<int>(by_30_.x.size());
    by_45_.ring_begin[ring] = static_cast<int>(by_45_.x.size());
    for (int x = 1; x < n_; ++x) {
      for (int y = 0; y < n_; ++y) {
        if (RingOf(x, y, n_) != ring) continue;
        // Four quarter turns of the quadrant x > 0, y >= 0 cover the plane.
        for (int m = ring; m < kMasks; ++m) areas_[m] += 4;
        AddPoint(by_30_, x, y, std::numbers::pi / 6, 1);
        if (y <= x) AddPoint(by_45_, x, y, std::numbers::pi / 4, y == 0 || y == x ? 0.5 : 1);
      }
    }
  }
  by_30_.ring_begin[kMasks] = static_cast<int>(by_30_.x.size());
  by_45_.ring_begin[kMasks] = static_cast<int>(by_45_.x.size());

  x_begin_ = y_begin_ = n_;
  x_end_ = y_end_ = -n_;
  for (const Turn* turn : {&by_30_, &by_45_}) {
    for (size_t k = 0; k < turn->x.size(); ++k) {
      x_begin_ = std::min(x_begin_, static_cast<int>(std::floor(turn->x[k])) - 1);
      x_end_ = std::max(x_end_, static_cast<int>(std::floor(turn->x[k])) + 3);
      y_begin_ = std::min(y_begin_, static_cast<int>(std::floor(turn->y[k])) - 1);
      y_end_ = std::max(y_end_, static_cast<int>(std::floor(turn->y[k])) + 3);
    }
  }
  MakeWeights(by_30_);
  MakeWeights(by_45_);

  // The mirrored signal's whole past, summed: z^k for every image of sample k.
  const double pole = std::sqrt(3.0) - 2;
  const int period = 2 * side_ - 2;
  for (int k = 0; k < side_; ++k) {
    const bool at_end = k == 0 || k == side_ - 1;
    const double images = std::pow(pole, k) + (at_end ? 0 : std::pow(pole, period - k));
    filter_start_.push_back(images / (1 - std::pow(pole, period)));
  }
}

void RingRotations::AddPoint(Turn& turn, int x, int y, double radians, double share) const {
  const auto lag = [&](int i, int j) { return (n_ - 1 + i) * side_ + n_ - 1 + j; };
  turn.lags.push_back({lag(x, y), lag(-y, x), lag(y, x), lag(-x, y)});
  turn.share.push_back(share);
  turn.x.push_back(std::cos(radians) * x - std::sin(radians) * y);
  turn.y.push_back(std::sin(radians) * x + std::cos(radians) * y);
}

void RingRotations::MakeWeights(Turn& turn) const {
  for (size_t k = 0; k < turn.x.size(); ++k) {
    const double x = turn.x[k], y = turn.y[k];
    if (std::abs(x) > n_ - 1 || std::abs(y) > n_ - 1) {
      turn.base.push_back(0);
      turn.weights.insert(turn.weights.end(), 8, 0.0);
      continue;
    }
    const int column = static_cast<int>(std::floor(x)) - 1 - x_begin_;
    const int row = static_cast<int>(std::floor(y)) - 1 - y_begin_;
    turn.base.push_back((row * (x_end_ - x_begin_) + column) * 4);
    for (const double at : {x, y})
      for (const double weight : SplineWeights(at - std::floor(at))) turn.weights.push_back(weight);
  }
}

// Coefficients are point-symmetric too: only lags with x <= 0 are filtered.
void RingRotations::MakeCoefficients(std::span<const double> sac, Work& work) const {
  const int width = filter_width_, last = side_ - 1;
  work.columns.assign(static_cast<size_t>(side_) * width, 0);
  for (int i = 0; i < side_; ++i)
    std::copy_n(sac.data() + i * side_, n_, work.columns.data() + i * width);
  kernels_.spline_filter(work.columns.data(), side_, width, filter_start_.data());

  // Row j of `rows` holds lags y = j - (n - 1), x = 1 - n .. 0.
  work.rows.assign(static_cast<size_t>(side_) * width, 0);
  for (int i = 0; i < n_; ++i) {
    for (int j = 0; j < n_; ++j) work.rows[j * width + i] = work.columns[i * width + j];
    for (int j = n_; j < side_; ++j)
      work.rows[j * width + i] = work.columns[(last - i) * width + last - j];
  }
  kernels_.spline_filter(work.rows.data(), side_, width, filter_start_.data());

  // One row of lags (x, y) and one of lags (y, x) give all four lanes.
  const int reach = n_ + 1, limit = n_ - 1;
  work.straight.resize(2 * reach + 1);
  work.crossed.resize(2 * reach + 1);
  double* straight = work.straight.data() + reach;
  double* crossed = work.crossed.data() + reach;
  work.lanes.resize(static_cast<size_t>(y_end_ - y_begin_) * (x_end_ - x_begin_) * 4);
  double* lanes = work.lanes.data();
  for (int y = y_begin_; y < y_end_; ++y) {
    const int row = Mirror(y, limit);
    const double* at = work.rows.data() + (limit + row) * width + limit;
    const double* opposite = work.rows.data() + (limit - row) * width + limit;
    for (int x = 0; x <= limit; ++x) straight[x] = opposite[-x];
    for (int x = 0; x <= limit; ++x) straight[-x] = at[-x];
    const double* column = work.rows.data() + limit * width + limit - std::abs(row);
    const int step = row > 0 ? -width : width;
    for (int x = -limit; x <= limit; ++x) crossed[x] = column[x * step];
    for (double* line : {straight, crossed}) {
      for (int beyond = 1; beyond <= 2; ++beyond) {
        line[limit + beyond] = line[limit - beyond];
        line[-limit - beyond] = line[-limit + beyond];
      }
    }
    for (int x = x_begin_; x < x_end_; ++x, lanes += 4) {
      lanes[0] = straight[x];
      lanes[1] = crossed[-x];
      lanes[2] = crossed[x];
      lanes[3] = straight[-x];
    }
  }
}

RingRotations::Moments RingRotations::Sum(const Turn& turn, std::span<const double> sac,
                                          double shift, Work& work) const {
  const size_t points = turn.x.size();
  work.lags.resize(points * 4);
  work.turned.resize(points * 4);
  for (size_t k = 0; k < points; ++k)
    for (int lane = 0; lane < 4; ++lane) work.lags[4 * k + lane] = sac[turn.lags[k][lane]];
  kernels_.spline_gather(work.lanes.data(), (x_end_ - x_begin_) * 4, turn.base.data(),
                         turn.weights.data(), static_cast<int>(points), work.turned.data());
  Moments moments;
  for (int ring = 0; ring < kMasks; ++ring) {
    const int begin = turn.ring_begin[ring];
    kernels_.ring_moments(work.lags.data() + 4 * begin, work.turned.data() + 4 * begin,
                          turn.share.data() + begin, shift, turn.ring_begin[ring + 1] - begin,
                          moments[ring].data());
    // A mask is all rings up to its own.
    if (ring > 0)
      for (int i = 0; i < kMoments; ++i) moments[ring][i] += moments[ring - 1][i];
  }
  return moments;
}

std::array<TurnedCorrelations, kMasks> RingRotations::Correlate(std::span<const double> sac,
                                                                Work& work) const {
  MakeCoefficients(sac, work);
  // Sums of values less their overall mean lose nothing when the mask's mean is
  // taken out of them afterwards.
  double shift = 0;
  for (const auto& lags : by_30_.lags) shift += sac[lags[0]] + sac[lags[1]];
  if (!by_30_.lags.empty()) shift /= 2.0 * static_cast<double>(by_30_.lags.size());

  const Moments at_30 = Sum(by_30_, sac, shift, work);
  const Moments at_45 = Sum(by_45_, sac, shift, work);
  std::array<TurnedCorrelations, kMasks> result;
  for (int m = 0; m < kMasks; ++m) {
    // Lanes in the order of Kernels::ring_moments. All sums are over half of the
    // ring; its other half adds the same again.
    const auto pair = [](const auto& moments, int which, int lane) {
      return 2 * (moments[4 * which + lane] + moments[4 * which + lane + 1]);
    };
    const auto &a = at_30[m], &b = at_45[m];
    const double area = areas_[m];
    const double mean = pair(a, 0, 0) / area;
    const double scale = pair(a, 1, 0) - mean * pair(a, 0, 0) + area * 1e-5;
    const double sum_30 = pair(a, 3, 0), sum_60 = pair(a, 3, 2);
    const double sum_45 = pair(b, 3, 0) + pair(b, 3, 2);
    result[m] = {
        .at_30 = (pair(a, 4, 0) - mean * sum_30) / scale,
        .at_45 = (pair(b, 4, 0) + pair(b, 5, 2) - mean * sum_45) / scale,
        .at_60 = (pair(a, 5, 2) - mean * sum_60) / scale,
        .at_90 = (pair(a, 2, 0) - mean * pair(a, 0, 0)) / scale,
        .at_120 = (pair(a, 5, 0) - mean * sum_30) / scale,
        .at_135 = (pair(b, 5, 0) + pair(b, 4, 2) - mean * sum_45) / scale,
        .at_150 = (pair(a, 4, 2) - mean * sum_60) / scale,
    };
  }
  return result;
}

}  // namespace gridsweep::scoring

#include "science/scoring/intrinsic_dimension.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "science/scoring/fixed_blocking.h"

namespace gridsweep::scoring {
namespace {

using Eigen::Index;
template <typename T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Points = Eigen::Map<const RowMajor<float>>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Index kBlock = 512;
constexpr size_t kNeighbours = 100;
constexpr double kShareFitted = 0.9;

// The nearest points so far.
class Neighbours {
 public:
  // Squared distance and index, nearest first once sorted.
  using Neighbour = std::pair<double, Index>;

  void Offer(double squared, Index point) {
    if (squared >= farthest_) return;
    if (nearest_.size() == kNeighbours) {
      std::ranges::pop_heap(nearest_);
      nearest_.pop_back();
    }
    nearest_.emplace_back(squared, point);
    std::ranges::push_heap(nearest_);
    if (nearest_.size() == kNeighbours) farthest_ = nearest_.front().first;
  }
  void Sort() { std::ranges::sort_heap(nearest_); }
  const std::vector<Neighbour>& nearest() const { return nearest_; }

 private:
  double farthest_ = std::numeric_limits<double>::infinity();  // that is of use
  std::vector<Neighbour> nearest_;                             // a heap, farthest on top
};

// The neighbours of each point. Squares may be off by some 1e-15 of the points' own.
std::optional<std::vector<Neighbours>> FindNeighbours(const Points& points,
                                                      const std::function<bool()>& go_on) {
  const Index n = points.rows();
  std::vector<Neighbours> neighbours(static_cast<size_t>(n));
  Eigen::RowVectorXd norms(n);
  for (Index i = 0; i < n; ++i) norms(i) = points.row(i).cast<double>().squaredNorm();
  RowMajor<double> squares;
  for (Index row = 0; row < n; row += kBlock) {
    const RowMajor<double> a = points.middleRows(row, std::min(kBlock, n - row)).cast<double>();
    for (Index column = row; column < n; column += kBlock) {
      if (!go_on()) return std::nullopt;
      const RowMajor<double> b =
          points.middleRows(column, std::min(kBlock, n - column)).cast<double>();
      squares.noalias() = -2 * a * b.transpose();
      squares.rowwise() += norms.segment(column, b.rows());
      for (Index i = row; i < row + a.rows(); ++i) {
        Neighbours& of_i = neighbours[static_cast<size_t>(i)];
        for (Index j = std::max(column, i + 1); j < column + b.rows(); ++j) {
          const double squared = std::max(0.0, squares(i - row, j - column) + norms(i));
          of_i.Offer(squared, j);
          neighbours[static_cast<size_t>(j)].Offer(squared, i);
        }
      }
    }
  }
  for (Neighbours& of_one : neighbours) of_one.Sort();
  return neighbours;
}

// Without what rounding adds to the distance of equal points.
double Distance(const Points& points, Index i, Index j) {
  return (points.row(i).cast<double>() - points.row(j).cast<double>()).norm();
}

double TwoNn(const Points& points, const std::vector<Neighbours>& neighbours) {
  std::vector<double> ratios;
  for (Index i = 0; i < points.rows(); ++i) {
    const auto& nearest = neighbours[static_cast<size_t>(i)].nearest();
    if (nearest.size() < 2) return kNaN;
    const double a = Distance(points, i, nearest[0].second);
    const double b = Distance(points, i, nearest[1].second);
    if (std::min(a, b) > 0) ratios.push_back(std::max(a, b) / std::min(a, b));
  }
  std::ranges::sort(ratios);
  const auto n = static_cast<double>(ratios.size());
  double products = 0, squares = 0;
  for (size_t i = 0; i < static_cast<size_t>(kShareFitted * n); ++i) {
    const double x = std::log(ratios[i]);
    products += -std::log1p(-static_cast<double>(i) / n) * x;
    squares += x * x;
  }
  return squares > 0 ? products / squares : kNaN;
}

double Moments(const std::vector<Neighbours>& neighbours) {
  double sum = 0;
  int counted = 0;
  for (const Neighbours& of_one : neighbours) {
    const auto& nearest = of_one.nearest();
    if (nearest.empty()) continue;
    double mean = 0;
    for (const auto& [squared, point] : nearest) mean += std::sqrt(squared);
    mean /= static_cast<double>(nearest.size());
    const double widest = std::sqrt(nearest.back().first);
    // A mean of equal distances is rounded.
    if (!(widest - mean > 1e-12 * widest)) continue;
    sum += mean / (widest - mean);
    ++counted;
  }
  return counted > 0 ? sum / counted : kNaN;
}

}  // namespace

std::optional<IntrinsicDimension> EstimateDimension(std::span<const float> points, int features,
                                                    const std::function<bool()>& go_on) {
  FixEigenBlocking();
  const Points all(points.data(), static_cast<Index>(points.size()) / features, features);
  const auto neighbours = FindNeighbours(all, go_on);
  if (!neighbours) return std::nullopt;
  return IntrinsicDimension{TwoNn(all, *neighbours), Moments(*neighbours)};
}

}  // namespace gridsweep::scoring

#include "science/scoring/autocorrelogram.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace gridsweep::scoring {
namespace {

int RoundUp(int value) { return (value + kLanes - 1) / kLanes * kLanes; }

// Prefix sums of a row and of its squares, in the order of the lags that use
// them: from one end for lags below 0, from the other for 0 and above.
void RowSums(const double* row, int n, bool low_lags_from_left, double* sum, double* square) {
  double left = 0, left_square = 0, right = 0, right_square = 0;
  for (int w = 1; w <= n; ++w) {
    const double l = row[w - 1], r = row[n - w];
    left += l;
    left_square += l * l;
    right += r;
    right_square += r * r;
    const int low = w - 1, high = 2 * n - 1 - w;
    // At w = n both name lag 0, which belongs to the high ones: written last.
    sum[low] = low_lags_from_left ? left : right;
    square[low] = low_lags_from_left ? left_square : right_square;
    sum[high] = low_lags_from_left ? right : left;
    square[high] = low_lags_from_left ? right_square : left_square;
  }
}

}  // namespace

Autocorrelator::Autocorrelator(int nbins, const Kernels& kernels)
    : n_(nbins),
      stride_(RoundUp(nbins) + 2 * kLanes),
      lag_width_(RoundUp(2 * nbins - 1)),
      kernels_(kernels),
      count_(static_cast<size_t>(nbins) * lag_width_) {
  for (int di = 0; di < n_; ++di)
    for (int dj = 1 - n_; dj < n_; ++dj)
      count_[di * lag_width_ + n_ - 1 + dj] = (n_ - di) * (n_ - std::abs(dj));
}

double* Autocorrelator::Element(std::vector<double>& padded) const {
  return padded.data() + kZeroRows * stride_ + kLanes;
}
const double* Autocorrelator::Element(const std::vector<double>& padded) const {
  return padded.data() + kZeroRows * stride_ + kLanes;
}

void Autocorrelator::Correlate(std::span<const double> ratemap, Work& work) const {
  work.map.assign(static_cast<size_t>(kZeroRows + n_) * stride_, 0);
  double* map = Element(work.map);
  for (int i = 0; i < n_; ++i) {
    for (int j = 0; j < n_; ++j) {
      const double rate = ratemap[i * n_ + j];
      map[i * stride_ + j] = std::isnan(rate) ? 0 : rate;
    }
  }
  work.product.resize(static_cast<size_t>(n_ + kZeroRows) * lag_width_);
  kernels_.correlate(map, map, n_, stride_, work.product.data(), lag_width_);
}

void Autocorrelator::Normalize(std::span<const double> ratemap, bool mask_unvisited,
                               Work& work) const {
  const size_t size = count_.size();
  for (auto* sums : {&work.sum_a, &work.sum_b, &work.square_a, &work.square_b})
    sums->resize(static_cast<size_t>(n_ + kZeroRows) * lag_width_);
  work.pearson.resize(size);
  const double* count = count_.data();
  if (mask_unvisited && std::ranges::any_of(ratemap, [](double r) { return std::isnan(r); })) {
    MaskedSums(ratemap, work);
    count = work.count.data();
  } else {
    WindowSums(work);
  }
  kernels_.pearson(count, work.sum_a.data(), work.sum_b.data(), work.square_a.data(),
                   work.square_b.data(), work.product.data(), static_cast<int>(size),
                   work.pearson.data());
  // Windows of lags (0, dj) and (0, -dj) are summed in different orders; the map
  // must be symmetric to the bit.
  for (int dj = 1; dj < n_; ++dj) work.pearson[n_ - 1 - dj] = work.pearson[n_ - 1 + dj];
}

// At lag (di, dj) the shifted window is the n - di lowest rows and, for dj >= 0,
// the n - dj rightmost columns; the other one lies in the opposite corner. Each
// grows from its corner, so nothing is ever subtracted.
void Autocorrelator::WindowSums(Work& work) const {
  const double* map = Element(work.map);
  for (int rows = 1; rows <= n_; ++rows) {
    const int di = n_ - rows;
    const size_t at = static_cast<size_t>(di) * lag_width_, before = at + lag_width_;
    RowSums(map + di * stride_, n_, true, &work.sum_a[at], &work.square_a[at]);
    RowSums(map + (rows - 1) * stride_, n_, false, &work.sum_b[at], &work.square_b[at]);
    if (rows == 1) continue;
    for (auto* sums : {&work.sum_a, &work.sum_b, &work.square_a, &work.square_b}) {
      double* to = sums->data() + at;
      const double* from = sums->data() + before;
      for (int k = 0; k < 2 * n_ - 1; ++k) to[k] += from[k];
    }
  }
}

void Autocorrelator::MaskedSums(std::span<const double> ratemap, Work& work) const {
  work.square.assign(work.map.size(), 0);
  work.visited.assign(work.map.size(), 0);
  work.count.resize(work.sum_a.size());
  const double* map = Element(work.map);
  double* square = Element(work.square);
  double* visited = Element(work.visited);
  for (int i = 0; i < n_; ++i) {
    for (int j = 0; j < n_; ++j) {
      const int at = i * stride_ + j;
      square[at] = map[at] * map[at];
      visited[at] = std::isnan(ratemap[i * n_ + j]) ? 0 : 1;
    }
  }
  const auto correlate = [&](const double* a, const double* b, std::vector<double>& out) {
    kernels_.correlate(a, b, n_, stride_, out.data(), lag_width_);
  };
  correlate(visited, visited, work.count);
  correlate(map, visited, work.sum_a);
  correlate(visited, map, work.sum_b);
  correlate(square, visited, work.square_a);
  correlate(visited, square, work.square_b);
}

void Autocorrelator::Unfold(const std::vector<double>& half, double* full) const {
  const int side = 2 * n_ - 1;
  for (int di = 0; di < n_; ++di) {
    const double* from = half.data() + static_cast<size_t>(di) * lag_width_;
    double* down = full + (n_ - 1 + di) * side;
    double* up = full + (n_ - di) * side - 1;
    for (int k = 0; k < side; ++k) down[k] = up[-k] = from[k];
  }
}

}  // namespace gridsweep::scoring

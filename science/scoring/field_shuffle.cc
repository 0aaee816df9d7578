#include "science/scoring/field_shuffle.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "science/scoring/fields.h"
#include "science/scoring/smooth_map.h"

namespace gridsweep::scoring {
namespace {

constexpr uint64_t kDraws = 10, kUniformsPerDraw = 3;

// Where steepest ascent of `height` within the bins labelled alike leads from `bin`.
int PeakOf(int bin, std::span<const double> height, std::span<const int> label, int nx, int ny) {
  while (true) {
    int highest = bin;
    for (int i = std::max(0, bin / ny - 1); i <= std::min(nx - 1, bin / ny + 1); ++i) {
      for (int j = std::max(0, bin % ny - 1); j <= std::min(ny - 1, bin % ny + 1); ++j) {
        const int next = i * ny + j;
        if (label[next] == label[bin] && height[next] > height[highest]) highest = next;
      }
    }
    if (highest == bin) return bin;
    bin = highest;
  }
}

}  // namespace

FieldShuffler::FieldShuffler(std::span<const double> ratemap, const BinGrid& grid)
    : nx_(grid.nx), ny_(grid.ny) {
  std::vector<int> label(ratemap.size(), -1);
  int labels = 0;
  for (const Field& field : FindFields(ratemap, grid)) {
    for (const int bin : field) label[bin] = labels;
    ++labels;
  }
  const std::vector<double> smooth = SmoothMap(ratemap, nx_, ny_);
  std::map<int, Bins> by_peak;
  for (int bin = 0; bin < static_cast<int>(ratemap.size()); ++bin) {
    visited_.push_back(!std::isnan(ratemap[bin]));
    if (label[bin] >= 0) {
      const int peak = PeakOf(bin, smooth, label, nx_, ny_);
      by_peak[peak].push_back({bin / ny_ - peak / ny_, bin % ny_ - peak % ny_, ratemap[bin]});
    } else if (visited_.back()) {
      rest_.push_back(ratemap[bin]);
    }
  }
  const auto nearer = [](const Bin& a, const Bin& b) {
    return std::tuple(a.x * a.x + a.y * a.y, a.x, a.y) <
           std::tuple(b.x * b.x + b.y * b.y, b.x, b.y);
  };
  for (auto& [peak, field] : by_peak) {
    std::ranges::sort(field, nearer);
    fields_.push_back(std::move(field));
  }
  std::ranges::stable_sort(fields_, std::greater<>(), &Bins::size);
  for (int x = 1 - nx_; x < nx_; ++x)
    for (int y = 1 - ny_; y < ny_; ++y) by_distance_.push_back({x, y, 0});
  std::ranges::sort(by_distance_, nearer);
}

FieldShuffler::Bins FieldShuffler::Place(size_t f, const Uniforms& uniforms,
                                         const std::vector<char>& free) const {
  Bins best;
  ptrdiff_t fewest = std::numeric_limits<ptrdiff_t>::max();
  for (uint64_t draw = 0; draw < kDraws && fewest > 0; ++draw) {
    const uint64_t first = (f * kDraws + draw) * kUniformsPerDraw;
    const int turns = nx_ == ny_ ? static_cast<int>(4 * uniforms(first))
                                 : 2 * static_cast<int>(2 * uniforms(first));
    Bins bins = fields_[f];
    int low_x = 0, high_x = 0, low_y = 0, high_y = 0;
    for (Bin& bin : bins) {
      for (int turn = 0; turn < turns; ++turn) bin = {-bin.y, bin.x, bin.rate};
      low_x = std::min(low_x, bin.x);
      high_x = std::max(high_x, bin.x);
      low_y = std::min(low_y, bin.y);
      high_y = std::max(high_y, bin.y);
    }
    const int x = static_cast<int>((nx_ - (high_x - low_x)) * uniforms(first + 1)) - low_x;
    const int y = static_cast<int>((ny_ - (high_y - low_y)) * uniforms(first + 2)) - low_y;
    for (Bin& bin : bins) bin = {bin.x + x, bin.y + y, bin.rate};
    const auto taken =
        std::ranges::count_if(bins, [&](const Bin& bin) { return !free[bin.x * ny_ + bin.y]; });
    if (taken < fewest) {
      fewest = taken;
      best = std::move(bins);
    }
  }
  return best;
}

int FieldShuffler::NearestFree(int x, int y, const std::vector<char>& free) const {
  for (const Bin& shift : by_distance_) {
    const int i = x + shift.x, j = y + shift.y;
    if (i >= 0 && j >= 0 && i < nx_ && j < ny_ && free[i * ny_ + j]) return i * ny_ + j;
  }
  return -1;
}

std::vector<double> FieldShuffler::Shuffle(const Uniforms& uniforms) const {
  std::vector<double> map(visited_.size(), std::nan(""));
  std::vector<char> free = visited_;
  for (size_t f = 0; f < fields_.size(); ++f) {
    for (const Bin& bin : Place(f, uniforms, free)) {
      const int to = NearestFree(bin.x, bin.y, free);
      map[to] = bin.rate;
      free[to] = false;
    }
  }
  std::vector<double> rest = rest_;
  const uint64_t first = fields_.size() * kDraws * kUniformsPerDraw;
  for (size_t bin = 0; bin < map.size(); ++bin) {
    if (!free[bin]) continue;
    const size_t left = rest.size();
    std::swap(rest[static_cast<size_t>(static_cast<double>(left) * uniforms(first + left))],
              rest.back());
    map[bin] = rest.back();
    rest.pop_back();
  }
  return map;
}

}  // namespace gridsweep::scoring

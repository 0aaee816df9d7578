#include "analysis/statistics/dip.h"

#include <algorithm>
#include <random>
#include <vector>

namespace gridsweep::analysis {
namespace {

// The distribution function steps at `x` from `below` to `upto`, both shares.
struct Step {
  double x, below, upto;
};

std::vector<Step> StepsOf(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const auto n = static_cast<double>(sorted.size());
  std::vector<Step> steps;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (steps.empty() || steps.back().x != sorted[i]) {
      steps.push_back({sorted[i], static_cast<double>(i) / n, 0});
    }
    steps.back().upto = static_cast<double>(i + 1) / n;
  }
  return steps;
}

// Corners of the greatest convex minorant of the lower ends of the steps
// first..last (`convex`), or of the least concave majorant of the upper ends.
std::vector<size_t> Hull(const std::vector<Step>& steps, size_t first, size_t last, bool convex) {
  const auto height = [&](size_t i) { return convex ? steps[i].below : -steps[i].upto; };
  std::vector<size_t> corners;
  for (size_t i = first; i <= last; ++i) {
    while (corners.size() > 1) {
      const size_t a = corners[corners.size() - 2], b = corners.back();
      // b stays where it lies below the line from a to i.
      if ((height(b) - height(a)) * (steps[i].x - steps[a].x) <
          (height(i) - height(a)) * (steps[b].x - steps[a].x)) {
        break;
      }
      corners.pop_back();
    }
    corners.push_back(i);
  }
  return corners;
}

// The hull's height at every step first..last.
std::vector<double> HeightsOf(const std::vector<Step>& steps, const std::vector<size_t>& corners,
                              bool convex) {
  const auto height = [&](size_t i) { return convex ? steps[i].below : steps[i].upto; };
  std::vector<double> heights;
  for (size_t c = 0; c + 1 < corners.size(); ++c) {
    const size_t a = corners[c], b = corners[c + 1];
    for (size_t i = a; i < b; ++i) {
      heights.push_back(height(a) + (height(b) - height(a)) * (steps[i].x - steps[a].x) /
                                        (steps[b].x - steps[a].x));
    }
  }
  heights.push_back(height(corners.back()));
  return heights;
}

}  // namespace

double Dip(std::span<const double> values) {
  const std::vector<Step> steps = StepsOf(values);
  const auto n = static_cast<double>(values.size());
  size_t first = 0, last = steps.size() - 1;  // where the mode may lie
  double dip = 1 / n;
  while (true) {
    const auto lower = Hull(steps, first, last, true), upper = Hull(steps, first, last, false);
    const auto minorant = HeightsOf(steps, lower, true), majorant = HeightsOf(steps, upper, false);
    // The largest distance between the two lies at a corner of either.
    double widest = -1;
    size_t at = first;
    bool at_lower = true;
    const auto look = [&](const std::vector<size_t>& corners, bool is_lower) {
      for (const size_t corner : corners) {
        const double distance = majorant[corner - first] - minorant[corner - first];
        if (distance <= widest) continue;
        widest = distance;
        at = corner;
        at_lower = is_lower;
      }
    };
    look(lower, true);
    look(upper, false);
    if (widest <= dip) break;
    // The mode lies between that corner and the neighbouring one of the other hull.
    const size_t next_first = at_lower ? at : *std::prev(std::ranges::upper_bound(lower, at));
    const size_t next_last = at_lower ? *std::ranges::lower_bound(upper, at) : at;
    // Outside, the function is to be convex on the left and concave on the right; a step at the
    // edge may yet be the mode's.
    for (size_t i = first; i < next_first; ++i) {
      dip = std::max(dip, steps[i].upto - minorant[i - first]);
    }
    for (size_t i = next_last + 1; i <= last; ++i) {
      dip = std::max(dip, majorant[i - first] - steps[i].below);
    }
    if (next_first == first && next_last == last) break;
    first = next_first;
    last = next_last;
  }
  return dip / 2;
}

double DipPValue(double dip, int64_t values, int samples, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> sample(static_cast<size_t>(values));
  int as_large = 0;
  for (int i = 0; i < samples; ++i) {
    for (double& value : sample) value = static_cast<double>(random() >> 11) * 0x1p-53;
    as_large += Dip(sample) >= dip;
  }
  return (1.0 + as_large) / (1.0 + samples);
}

}  // namespace gridsweep::analysis

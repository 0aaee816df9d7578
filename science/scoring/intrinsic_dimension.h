// How many dimensions a cloud of points has, judged by distances between neighbours. Source:
// docs/science.md, "The population".
#pragma once

#include <functional>
#include <optional>
#include <span>

namespace gridsweep::scoring {

struct IntrinsicDimension {
  double two_nn, moments;  // NaN where no point has neighbours at distances that tell
};

// Distances are Euclidean, in float64; one thread, a fixed order of sums.
//
// TwoNN (Facco et al. 2017): with mu = r2 / r1 the distances of a point's two nearest neighbours,
// mu_0 <= mu_1 <= ... of N points and F_i = i / N, the slope through the origin of -ln(1 - F_i) on
// ln mu_i over the int(0.9 N) smallest. Points that have an equal (r1 = 0) are left out.
// Method of moments (Amsaleg et al. 2015): of a point's 100 nearest neighbours (all others where
// there are fewer), m the mean and w the largest distance: the mean over points of m / (w - m).
// Points with w = m are left out.
//   points  [n, features], row-major
// Calls `go_on` now and then, and gives up with nullopt where it answers false.
std::optional<IntrinsicDimension> EstimateDimension(std::span<const float> points, int features,
                                                    const std::function<bool()>& go_on);

}  // namespace gridsweep::scoring

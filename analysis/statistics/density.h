// Kernel density estimates.
#pragma once

#include <span>
#include <vector>

namespace gridsweep::analysis {

// `points` numbers from `low` to `high`, both included.
std::vector<double> EvenlySpaced(double low, double high, int points);

// Density of `values` at each of `at`: the mean over the values of a normal
// density of standard deviation `bandwidth` round each. Precondition: some values.
std::vector<double> GaussianDensity(std::span<const double> values, std::span<const double> at,
                                    double bandwidth);

}  // namespace gridsweep::analysis

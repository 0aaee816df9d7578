// 95% intervals for fractions, of independent runs and of the units within them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Quantile `p` in (0, 1) of Student's t with `df` > 0 degrees of freedom.
double StudentTQuantile(double p, double df);

// Wilson's score interval of `hits` among `n` independent runs; absent for n = 0.
std::optional<v1::Interval> WilsonInterval(int64_t hits, int64_t n);

// Sums over runs with at least one unit: x units that pass of m units.
struct ClusterSums {
  int64_t runs = 0;  // with m > 0
  int64_t x = 0, m = 0;
  int64_t xx = 0, xm = 0, mm = 0;  // of x*x, x*m, m*m
};

// Interval of the ratio x / m when units of one run are not independent:
// linearised variance of a ratio estimator, G / (G-1) * sum (x - p m)^2 / (sum m)^2
// over G runs; Student's t with G - 1 degrees of freedom on the logit scale.
// With p = 0 or 1 that variance is 0 and says nothing: then Wilson's interval
// with the number of runs as n. Absent for fewer than two runs.
std::optional<v1::Interval> ClusterRobustInterval(const ClusterSums& sums);

// Mean of one value a run: standard error sd / sqrt(n), Student's t interval with
// n - 1 degrees of freedom; both absent for n < 2. `sd` is the sample's (n - 1).
v1::MeanOverRuns MeanOverRunsOf(int64_t n, double mean, double sd);
v1::MeanOverRuns MeanOverRunsOf(std::span<const double> values);

// Interval of the median of independent values, whatever their distribution:
// between the two order statistics, equally far from either end, that enclose it
// with at least 95% (sign test). Absent for fewer than six values.
std::optional<v1::Interval> MedianInterval(std::span<const double> values);

}  // namespace gridsweep::analysis

#include "analysis/interval.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gridsweep::analysis {
namespace {

constexpr double kZ = 1.959963984540054;  // normal quantile of 0.975

__extension__ typedef __int128 Wide;

// Continued fraction of the incomplete beta function, by Lentz's method.
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m <= 10'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-16) break;
  }
  return h;
}

// Regularised incomplete beta function I_x(a, b).
double IncompleteBeta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * BetaFraction(a, b, x) / a
                                   : 1 - front * BetaFraction(b, a, 1 - x) / b;
}

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double StudentTQuantile(double p, double df) {
  if (p < 0.5) return -StudentTQuantile(1 - p, df);
  // P(|T| > t) = I_{df/(df+t^2)}(df/2, 1/2) falls with t.
  const double tail = 2 * (1 - p);
  double low = 0, high = 1;
  const auto beyond = [&](double t) { return IncompleteBeta(df / 2, 0.5, df / (df + t * t)); };
  while (beyond(high) > tail && high < 1e300) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-15 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (beyond(middle) > tail ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

std::optional<v1::Interval> WilsonInterval(int64_t hits, int64_t n) {
  if (n <= 0) return std::nullopt;
  const double count = static_cast<double>(n), p = static_cast<double>(hits) / count;
  const double scale = 1 + kZ * kZ / count;
  const double centre = (p + kZ * kZ / (2 * count)) / scale;
  const double half = kZ / scale * std::sqrt(p * (1 - p) / count + kZ * kZ / (4 * count * count));
  v1::Interval interval;
  interval.set_low(hits == 0 ? 0 : std::max(0.0, centre - half));
  interval.set_high(hits == n ? 1 : std::min(1.0, centre + half));
  interval.set_method("Wilson over runs, 95%");
  interval.set_effective_n(count);
  return interval;
}

std::optional<v1::Interval> ClusterRobustInterval(const ClusterSums& sums) {
  if (sums.runs < 2 || sums.m <= 0) return std::nullopt;
  if (sums.x == 0 || sums.x == sums.m) {
    auto interval = WilsonInterval(sums.x == 0 ? 0 : sums.runs, sums.runs);
    interval->set_method(sums.x == 0 ? "Wilson over runs (no unit passes), 95%"
                                     : "Wilson over runs (every unit passes), 95%");
    return interval;
  }
  const double runs = static_cast<double>(sums.runs), m = static_cast<double>(sums.m);
  const double p = static_cast<double>(sums.x) / m;
  // m^2 * sum (x - p m)^2, in integers: exact, so it cannot cancel.
  const Wide residuals = Wide{sums.m} * sums.m * sums.xx - 2 * (Wide{sums.x} * sums.m * sums.xm) +
                         Wide{sums.x} * sums.x * sums.mm;
  const double variance = runs / (runs - 1) * static_cast<double>(residuals) / (m * m * m * m);
  const double logit = std::log(p / (1 - p));
  const double half =
      StudentTQuantile(0.975, runs - 1) * std::sqrt(std::max(0.0, variance)) / (p * (1 - p));
  v1::Interval interval;
  interval.set_low(Logistic(logit - half));
  interval.set_high(Logistic(logit + half));
  interval.set_method("cluster-robust over runs, 95% (ratio estimator, logit, t)");
  interval.set_effective_n(runs);
  return interval;
}

v1::MeanOverRuns MeanOverRunsOf(int64_t n, double mean, double sd) {
  v1::MeanOverRuns out;
  out.set_n(n);
  if (n > 0) out.set_mean(mean);
  if (n < 2) return out;
  const double count = static_cast<double>(n), sem = sd / std::sqrt(count);
  const double half = StudentTQuantile(0.975, count - 1) * sem;
  out.set_sem(sem);
  v1::Interval& interval = *out.mutable_interval();
  interval.set_low(mean - half);
  interval.set_high(mean + half);
  interval.set_method("Student's t over runs, 95%");
  interval.set_effective_n(count);
  return out;
}

v1::MeanOverRuns MeanOverRunsOf(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return MeanOverRunsOf(static_cast<int64_t>(values.size()), mean,
                        std::sqrt(squares / std::max(1.0, n - 1)));
}

std::optional<v1::Interval> MedianInterval(std::span<const double> values) {
  // P(at most k of n values lie below the median) = sum of the first k + 1 binomial terms: the
  // largest number of values to leave out at each end has it at most 2.5%.
  const double n = static_cast<double>(values.size());
  double tail = 0;
  size_t left_out = 0;
  for (; left_out < values.size(); ++left_out) {
    const double k = static_cast<double>(left_out);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                     n * std::log(2.0));
    if (tail > 0.025) break;
  }
  if (left_out == 0) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  v1::Interval interval;
  interval.set_low(sorted[left_out - 1]);
  interval.set_high(sorted[values.size() - left_out]);
  interval.set_method("order statistics over neurons (sign test), at least 95%");
  interval.set_effective_n(n);
  return interval;
}

}  // namespace gridsweep::analysis

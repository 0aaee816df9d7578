#include "analysis/compare/correlation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace gridsweep::analysis {
namespace {

constexpr double kZ = 1.959963984540054;  // normal quantile of 0.975
constexpr size_t kFewest = 4;             // the standard error is 1 / sqrt(n - 3)

std::optional<double> Pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const double n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  const auto constant = [](const std::vector<double>& v) {
    return std::ranges::all_of(v, [&](double value) { return value == v[0]; });
  };
  if (constant(x) || constant(y)) return std::nullopt;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

// From 1; of equal values the mean of theirs.
std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    const auto below = std::ranges::count_if(values, [&](double v) { return v < value; });
    const auto equal = std::ranges::count(values, value);
    ranks.push_back(static_cast<double>(below) + (static_cast<double>(equal) + 1) / 2);
  }
  return ranks;
}

// tanh(atanh(r) +- z * spread / sqrt(n - 3)); nothing where r is 1 or -1, but for rounding.
std::optional<v1::Interval> FisherInterval(double r, double spread, size_t pairs,
                                           const char* method) {
  if (1 - std::abs(r) < 1e-12) return std::nullopt;
  const double n = static_cast<double>(pairs);
  const double half = kZ * spread / std::sqrt(n - 3);
  v1::Interval interval;
  interval.set_low(std::tanh(std::atanh(r) - half));
  interval.set_high(std::tanh(std::atanh(r) + half));
  interval.set_method(method);
  interval.set_effective_n(n);
  return interval;
}

}  // namespace

v1::NeuralPredictivityResponse::Correlation CorrelationOf(
    std::span<const std::pair<double, double>> pairs) {
  v1::NeuralPredictivityResponse::Correlation out;
  out.set_n(static_cast<int64_t>(pairs.size()));
  if (pairs.size() < kFewest) return out;
  std::vector<double> x, y;
  for (const auto& [first, second] : pairs) {
    x.push_back(first);
    y.push_back(second);
  }
  if (const auto r = Pearson(x, y)) {
    out.set_pearson(*r);
    if (const auto interval = FisherInterval(*r, 1, x.size(), "Fisher's z over rows, 95%")) {
      *out.mutable_pearson_interval() = *interval;
    }
  }
  if (const auto rho = Pearson(Ranks(x), Ranks(y))) {
    out.set_spearman(*rho);
    if (const auto interval =
            FisherInterval(*rho, std::sqrt(1 + *rho * *rho / 2), x.size(),
                           "Fisher's z over rows (Bonett and Wright 2000), 95%")) {
      *out.mutable_spearman_interval() = *interval;
    }
  }
  return out;
}

}  // namespace gridsweep::analysis

#include "analysis/statistics/circular.h"

#include <algorithm>
#include <cmath>

namespace gridsweep::analysis {

double ResultantLength(std::span<const double> angles) {
  double x = 0, y = 0;
  for (const double angle : angles) {
    x += std::cos(angle);
    y += std::sin(angle);
  }
  return std::hypot(x, y) / static_cast<double>(angles.size());
}

double CircularDeviation(double resultant_length) {
  return std::sqrt(-2 * std::log(std::min(1.0, resultant_length)));
}

double RayleighPValue(double resultant_length, double n) {
  const double sum = n * resultant_length;
  return std::min(1.0, std::exp(std::sqrt(1 + 4 * n + 4 * (n * n - sum * sum)) - (1 + 2 * n)));
}

}  // namespace gridsweep::analysis

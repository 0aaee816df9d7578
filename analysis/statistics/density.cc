#include "analysis/statistics/density.h"

#include <cmath>
#include <numbers>

namespace gridsweep::analysis {

std::vector<double> EvenlySpaced(double low, double high, int points) {
  std::vector<double> at;
  for (int i = 0; i < points; ++i) at.push_back(low + (high - low) * i / (points - 1));
  return at;
}

std::vector<double> GaussianDensity(std::span<const double> values, std::span<const double> at,
                                    double bandwidth) {
  const double scale =
      1 / (bandwidth * std::sqrt(2 * std::numbers::pi) * static_cast<double>(values.size()));
  std::vector<double> density;
  for (const double x : at) {
    double sum = 0;
    for (const double value : values) {
      const double z = (x - value) / bandwidth;
      sum += std::exp(-0.5 * z * z);
    }
    density.push_back(sum * scale);
  }
  return density;
}

}  // namespace gridsweep::analysis

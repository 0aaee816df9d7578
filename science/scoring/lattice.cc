#include "science/scoring/lattice.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

namespace gridsweep::scoring {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTwoPi = 2 * std::numbers::pi;

using Vector = std::complex<double>;  // bins along the first and the second index

// The axes of the lattice, in bins.
std::optional<std::pair<Vector, Vector>> Axes(const Period& period) {
  std::vector<Vector> shortest;  // of each pair of opposite peaks the one with its angle in [0, pi)
  for (const auto& [x, y] : period.peaks_bins) {
    if (std::isnan(x)) break;
    const Vector peak(x, y);
    const Vector upper = y < 0 || (y == 0 && x < 0) ? -peak : peak;
    if (std::ranges::find(shortest, upper) == shortest.end()) shortest.push_back(upper);
  }
  if (shortest.size() < 3) return std::nullopt;
  shortest.resize(3);
  std::ranges::sort(shortest, {}, [](const Vector& v) { return std::arg(v); });
  const Vector u = shortest[0], v = shortest[1], w = shortest[2];
  return std::pair((2.0 * u + v - w) / 3.0, (u + 2.0 * v + w) / 3.0);
}

}  // namespace

double OrientationSpread(const Period& period) {
  std::complex<double> sum = 0;
  for (const double angle : period.orientations_rad) sum += std::polar(1.0, 6 * angle);
  const double length = std::abs(sum) / static_cast<double>(period.orientations_rad.size());
  return std::isnan(length) ? kNaN : std::sqrt(-2 * std::log(std::min(length, 1.0))) / 6;
}

GridPhase PhaseOf(std::span<const double> ratemap, int nbins, const Period& period) {
  const auto axes = Axes(period);
  if (!axes) return {kNaN, kNaN};
  const auto [a, b] = *axes;
  const double area = a.real() * b.imag() - a.imag() * b.real();
  if (!(std::abs(area) > 1e-9 * std::abs(a) * std::abs(b))) return {kNaN, kNaN};
  // Reciprocal vectors: each turns by 2 pi along one axis and not along the other.
  const Vector along_a = kTwoPi / area * Vector(b.imag(), -b.real());
  const Vector along_b = kTwoPi / area * Vector(-a.imag(), a.real());

  double mean = 0;
  int visited = 0;
  for (const double rate : ratemap) {
    if (std::isnan(rate)) continue;
    mean += rate;
    ++visited;
  }
  mean /= visited;
  std::complex<double> component_a = 0, component_b = 0;
  for (int i = 0; i < nbins; ++i) {
    for (int j = 0; j < nbins; ++j) {
      const double rate = ratemap[i * nbins + j];
      if (std::isnan(rate)) continue;
      const double x = i - (nbins - 1) / 2.0, y = j - (nbins - 1) / 2.0;
      component_a += std::polar(1.0, along_a.real() * x + along_a.imag() * y) * (rate - mean);
      component_b += std::polar(1.0, along_b.real() * x + along_b.imag() * y) * (rate - mean);
    }
  }
  const auto share = [](const std::complex<double>& component) {
    const double turns = std::arg(component) / kTwoPi;
    const double fraction = turns - std::floor(turns);
    return fraction < 1 ? fraction : 0.0;
  };
  return {share(component_a), share(component_b)};
}

}  // namespace gridsweep::scoring

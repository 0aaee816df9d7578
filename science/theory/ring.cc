#include "science/theory/ring.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "science/theory/fourier.h"

namespace gridsweep::theory {
namespace {

constexpr double kLeastHeight = 1e-3;

}  // namespace

RadialSpectrum AverageOverDirections(std::span<const double> spectrum, int res, double step) {
  const auto last = static_cast<size_t>(res / 2);
  RadialSpectrum radial{step, std::vector<double>(last)};
  std::vector<int> modes(last);
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      const auto m = static_cast<size_t>(std::lround(std::hypot(Mode(i, res), Mode(j, res))));
      if (m < 1 || m > last) continue;
      radial.power[m - 1] += spectrum[static_cast<size_t>(i) * res + j];
      ++modes[m - 1];
    }
  }
  for (size_t m = 0; m < last; ++m) radial.power[m] /= modes[m];
  return radial;
}

Rings FindRings(const RadialSpectrum& spectrum) {
  const std::vector<double>& power = spectrum.power;
  const auto largest = static_cast<size_t>(std::ranges::max_element(power) - power.begin());
  const auto peak = [&](size_t m) {
    return Peak{spectrum.step * static_cast<double>(m + 1), power[m], power[m] / power[largest]};
  };
  Rings rings{peak(largest), std::nullopt};
  for (size_t m = 1; m + 1 < power.size(); ++m) {
    if (power[m] > power[m - 1] && power[m] >= power[m + 1] && peak(m).height >= kLeastHeight) {
      rings.local = peak(m);
      break;
    }
  }
  return rings;
}

double Wavelength(double wavenumber) { return 2 * std::numbers::pi / wavenumber; }

double HexagonalSpacing(double wavenumber) {
  return 4 * std::numbers::pi / (std::numbers::sqrt3 * wavenumber);
}

}  // namespace gridsweep::theory

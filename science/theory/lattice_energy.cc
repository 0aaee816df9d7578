#include "science/theory/lattice_energy.h"

#include <cmath>
#include <numbers>

#include "science/theory/fourier.h"

namespace gridsweep::theory {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kTurn = kPi / 60;  // 3 degrees

struct Waves {
  Lattice lattice;
  int count;  // waves, pi / count apart
};
constexpr Waves kWaves[] = {
    {Lattice::kHexagonal, 3}, {Lattice::kSquare, 2}, {Lattice::kStripes, 1}};

// Zero mean, mean square 1. `k` is in radians a lattice point.
std::vector<double> WaveMap(int res, double k, double direction, int count) {
  std::vector<double> map;
  map.reserve(static_cast<size_t>(res) * res);
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      double value = 0;
      for (int wave = 0; wave < count; ++wave) {
        const double angle = direction + wave * kPi / count;
        value += std::cos(k * (i * std::cos(angle) + j * std::sin(angle)));
      }
      map.push_back(value);
    }
  }
  const auto points = static_cast<double>(map.size());
  double mean = 0, square = 0;
  for (const double value : map) mean += value / points;
  for (double& value : map) value -= mean;
  for (const double value : map) square += value * value / points;
  for (double& value : map) value /= std::sqrt(square);
  return map;
}

double MeanCube(const std::vector<double>& map) {
  double sum = 0;
  for (const double value : map) sum += value * value * value;
  return sum / static_cast<double>(map.size());
}

}  // namespace

std::vector<LatticeEnergy> LatticeEnergies(std::span<const double> spectrum, int res, double step,
                                           double wavenumber) {
  Fourier fourier(res);
  const double per_point = wavenumber / step * 2 * kPi / res;
  const double points = static_cast<double>(res) * res;
  std::vector<LatticeEnergy> energies;
  for (const Waves& waves : kWaves) {
    LatticeEnergy best{waves.lattice, -1, 0, 0};
    for (double direction = 0; direction < kPi / waves.count - kTurn / 2; direction += kTurn) {
      const std::vector<double> map = WaveMap(res, per_point, direction, waves.count);
      // By Parseval: the map's length is `points`, the transform's `points` squared.
      const std::vector<double> power = fourier.Power(map);
      double quadratic = 0;
      for (size_t mode = 0; mode < power.size(); ++mode) quadratic += spectrum[mode] * power[mode];
      quadratic /= points * points;
      if (quadratic > best.quadratic) {
        best = {waves.lattice, quadratic, MeanCube(map), direction};
      }
    }
    energies.push_back(best);
  }
  return energies;
}

}  // namespace gridsweep::theory

// The discrete Fourier transform as its definition says, by plain loops.
#pragma once

#include <complex>
#include <numbers>
#include <span>
#include <vector>

namespace gridsweep::theory {

// Sum over x of f(x) exp(sign * 2 pi i n x / res) of a [res, res] map.
inline std::vector<std::complex<double>> PlainTransform(std::span<const std::complex<double>> map,
                                                        int res, int sign) {
  std::vector<std::complex<double>> transform(map.size());
  for (int p = 0; p < res; ++p) {
    for (int q = 0; q < res; ++q) {
      std::complex<double> sum = 0;
      for (int i = 0; i < res; ++i) {
        for (int j = 0; j < res; ++j) {
          const double turns = static_cast<double>((p * i + q * j) % res) / res;
          sum += map[i * res + j] * std::polar(1.0, sign * 2 * std::numbers::pi * turns);
        }
      }
      transform[p * res + q] = sum;
    }
  }
  return transform;
}

}  // namespace gridsweep::theory

// Fourier transforms of square lattices, and periodic convolution by them.
#pragma once

#include <complex>
#include <memory>
#include <span>
#include <vector>

namespace gridsweep::theory {

// Transforms [res, res] maps, row-major, in place: modes n = 0 .. res-1 of each
// index, n and n - res the same. Not thread-safe: it keeps tables and a buffer.
class Fourier {
 public:
  explicit Fourier(int res);
  ~Fourier();

  // Sum over x of f(x) exp(-2 pi i n x / res), and back (1 / res^2 included).
  void Forward(std::span<std::complex<double>> map);
  void Inverse(std::span<std::complex<double>> map);

  // |transform|^2 of a real map, [res, res].
  std::vector<double> Power(std::span<const double> map);

 private:
  class Rows;
  template <class Row>
  void BothWays(std::span<std::complex<double>> map, Row row);
  const int res_;
  std::unique_ptr<Rows> rows_;
};

// The signed mode number of index `i` in a transform of `res` points.
constexpr int Mode(int i, int res) { return i <= res / 2 ? i : i - res; }

// Periodic convolution with a real kernel that is even, K(-x) = K(x), and so
// has a real transform.
class EvenConvolution {
 public:
  // `transform` [res, res]: the kernel's, zero lag at index (0, 0).
  EvenConvolution(int res, std::vector<double> transform);

  // out_u(x) = sum over y of K(x - y) map_u(y), for maps [units, res, res].
  void Apply(std::span<const double> maps, std::span<double> out);

 private:
  const std::vector<double> transform_;
  Fourier fourier_;
  std::vector<std::complex<double>> pair_;
};

}  // namespace gridsweep::theory

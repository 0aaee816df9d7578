#include "science/theory/fourier.h"

#include <gtest/gtest.h>

#include "tests/science/theory/plain_fourier.h"

namespace gridsweep::theory {
namespace {

using Complex = std::complex<double>;

// Different in every direction, without symmetry.
std::vector<Complex> SomeMap(int res) {
  std::vector<Complex> map;
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) map.emplace_back((i * i + 3 * j + i * j * j) % 7);
  }
  return map;
}

TEST(Fourier, EqualsThePlainSum) {
  for (const int res : {4, 5, 11, 12}) {
    std::vector<Complex> map = SomeMap(res);
    for (Complex& value : map) value *= Complex(1, 0.5);
    const auto expected = PlainTransform(map, res, -1);
    Fourier(res).Forward(map);
    for (size_t k = 0; k < map.size(); ++k) EXPECT_LT(std::abs(map[k] - expected[k]), 1e-11);
  }
}

TEST(Fourier, EqualsNumpysTransform) {
  // numpy.fft.fft2 (numpy 1.24) of SomeMap.
  struct {
    int res, p, q;
    Complex value;
  } const cases[] = {
      {5, 0, 0, {82, 0}},
      {5, 1, 0, {-4.97213595499958, -3.440954801177933}},
      {5, 0, 2, {-4.218847050625473, 8.281994095230605}},
      {5, 2, 3, {-7.045084971874737, -10.09835041524401}},
      {5, 4, 1, {-1.454915028125264, -4.926796006629578}},
      {6, 0, 0, {123, 0}},
      {6, 1, 0, {-1.5, -6.06217782649107}},
      {6, 0, 2, {-12, 5.196152422706631}},
      {6, 2, 3, {20.5, 16.45448267190433}},
      {6, 5, 1, {1.499999999999999, -7.794228634059947}},
  };
  for (const auto& c : cases) {
    std::vector<Complex> map = SomeMap(c.res);
    Fourier(c.res).Forward(map);
    EXPECT_LT(std::abs(map[c.p * c.res + c.q] - c.value), 1e-12) << c.res << " " << c.p << c.q;
  }
}

TEST(Fourier, InverseReturnsTheMap) {
  for (const int res : {9, 16, 55}) {
    std::vector<Complex> map = SomeMap(res);
    const std::vector<Complex> before = map;
    Fourier fourier(res);
    fourier.Forward(map);
    fourier.Inverse(map);
    for (size_t x = 0; x < map.size(); ++x) EXPECT_LT(std::abs(map[x] - before[x]), 1e-13);
  }
}

TEST(EvenConvolution, EqualsThePlainPeriodicSum) {
  constexpr int kRes = 7, kUnits = 3;  // an odd number of maps: the last has no partner
  std::vector<Complex> kernel;
  for (int i = 0; i < kRes; ++i) {
    for (int j = 0; j < kRes; ++j) {
      const int x = Mode(i, kRes), y = Mode(j, kRes);
      kernel.emplace_back(1.0 / (1 + x * x + 2 * y * y + x * y));  // even, not symmetric in x alone
    }
  }
  std::vector<double> transform;
  for (const Complex& mode : PlainTransform(kernel, kRes, -1)) {
    EXPECT_NEAR(mode.imag(), 0, 1e-12);
    transform.push_back(mode.real());
  }
  std::vector<double> maps, out(kUnits * kRes * kRes);
  for (size_t i = 0; i < out.size(); ++i) maps.push_back(static_cast<double>(i * i % 13) - 5);
  EvenConvolution(kRes, transform).Apply(maps, out);
  for (int u = 0; u < kUnits; ++u) {
    for (int i = 0; i < kRes; ++i) {
      for (int j = 0; j < kRes; ++j) {
        double expected = 0;
        for (int p = 0; p < kRes; ++p) {
          for (int q = 0; q < kRes; ++q) {
            const int lag = (i - p + kRes) % kRes * kRes + (j - q + kRes) % kRes;
            expected += kernel[lag].real() * maps[(u * kRes + p) * kRes + q];
          }
        }
        EXPECT_NEAR(out[(u * kRes + i) * kRes + j], expected, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace gridsweep::theory

// Eight floats at a time, and the exponential of them. Written with the
// compiler's vector types: the order of every sum is fixed by the code, so the
// bits are the same whatever the processor's registers are.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace gridsweep::integrator {

inline constexpr int64_t kLanes = 8;
typedef float Lanes __attribute__((vector_size(32)));
typedef int32_t IntLanes __attribute__((vector_size(32)));

// For functions that work on lanes: compiled for AVX2 too, and chosen when the
// program starts. The bits are the same; eight lanes without AVX2 are slow.
#if defined(__x86_64__) && !defined(GRIDSWEEP_NO_CLONES)
#define GRIDSWEEP_LANES_FUNCTION __attribute__((target_clones("avx2", "default")))
#else
#define GRIDSWEEP_LANES_FUNCTION
#endif
// Has to be inlined for that, so also for lambdas that work on lanes.
#define GRIDSWEEP_INLINE inline __attribute__((always_inline))

GRIDSWEEP_INLINE Lanes Load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
GRIDSWEEP_INLINE void Store(float* to, const Lanes& lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}
GRIDSWEEP_INLINE Lanes Fill(float value) { return Lanes{} + value; }
GRIDSWEEP_INLINE Lanes Min(const Lanes& a, const Lanes& b) { return a < b ? a : b; }
GRIDSWEEP_INLINE Lanes Max(const Lanes& a, const Lanes& b) { return a > b ? a : b; }
GRIDSWEEP_INLINE Lanes Abs(const Lanes& a) { return Max(a, -a); }

GRIDSWEEP_INLINE float SumOf(const Lanes& a) {
  return ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]));
}
GRIDSWEEP_INLINE float MinOf(const Lanes& a) {
  float least = a[0];
  for (int i = 1; i < kLanes; ++i) least = a[i] < least ? a[i] : least;
  return least;
}
GRIDSWEEP_INLINE float MaxOf(const Lanes& a) {
  float most = a[0];
  for (int i = 1; i < kLanes; ++i) most = a[i] > most ? a[i] : most;
  return most;
}

// e^x for x <= 88: relative error below 2e-7; 0 below -87.3; NaN stays NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2; the polynomial is e^r's Taylor series,
// whose first neglected term is r^8 / 8! < 6e-9.
GRIDSWEEP_INLINE Lanes Exp(const Lanes& x) {
  const Lanes floor = Fill(-87.33f);
  const Lanes clamped = x < floor ? floor : x;
  // Adding 1.5 * 2^23 rounds to a whole number, in the low bits of the sum.
  const Lanes magic = Fill(12582912.0f);
  const Lanes shifted = clamped * 1.44269504f + magic;
  const Lanes n = shifted - magic;
  const Lanes r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  Lanes poly = Fill(1.0f / 5040);
  poly = poly * r + 1.0f / 720;
  poly = poly * r + 1.0f / 120;
  poly = poly * r + 1.0f / 24;
  poly = poly * r + 1.0f / 6;
  poly = poly * r + 0.5f;
  poly = poly * r + 1.0f;
  poly = poly * r + 1.0f;
  IntLanes bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  const IntLanes exponent = (bits + (127 - 0x4B400000)) << 23;
  Lanes scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  const Lanes result = poly * scale;
  return x < floor ? Lanes{} : result;
}

}  // namespace gridsweep::integrator

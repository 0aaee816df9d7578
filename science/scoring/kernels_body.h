// Bodies of the kernels. Included once by each kernels_<set>.cc, which defines
// GRIDSWEEP_KERNELS (the table's name), GRIDSWEEP_VECTOR_BYTES (of a register) and
// GRIDSWEEP_LAG_ROWS (how many rows of lags stay in registers) and is compiled for its instruction
// set. Only built-in vector types and loops here: an inline library function compiled for one set
// could be linked into code for another.
#include <math.h>

#include "science/scoring/kernels.h"

namespace gridsweep::scoring {
namespace {

// A register: wider types are spilled rather than split.
typedef double V __attribute__((vector_size(GRIDSWEEP_VECTOR_BYTES)));
typedef double Vu __attribute__((vector_size(GRIDSWEEP_VECTOR_BYTES), aligned(8), may_alias));
typedef double V4 __attribute__((vector_size(32)));
typedef double V4u __attribute__((vector_size(32), aligned(8), may_alias));

void Correlate(const double* a, const double* b, int n, int stride, double* out, int lag_width) {
  constexpr int kRows = GRIDSWEEP_LAG_ROWS;
  constexpr int kWidth = GRIDSWEEP_VECTOR_BYTES / 8, kAcross = kLanes / kWidth;
  static_assert(kRows <= kZeroRows);
  for (int di = 0; di < n; di += kRows) {
    for (int k = 0; k < lag_width; k += kLanes) {
      const int dj = k - (n - 1);
      const int y_begin = -dj - (kLanes - 1) > 0 ? -dj - (kLanes - 1) : 0;
      const int y_end = dj > 0 ? n - dj : n;
      V sum[kRows][kAcross] = {};
      for (int x = di; x < n; ++x) {
        const double* row = a + x * stride + dj;
        const double* partner = b + (x - di) * stride;
        for (int y = y_begin; y < y_end; ++y) {
          V v[kAcross];
          for (int c = 0; c < kAcross; ++c)
            v[c] = *reinterpret_cast<const Vu*>(row + y + c * kWidth);
          for (int r = 0; r < kRows; ++r)
            for (int c = 0; c < kAcross; ++c) sum[r][c] += v[c] * partner[y - r * stride];
        }
      }
      for (int r = 0; r < kRows; ++r)
        for (int c = 0; c < kAcross; ++c)
          *reinterpret_cast<Vu*>(out + (di + r) * lag_width + k + c * kWidth) = sum[r][c];
    }
  }
}

void Pearson(const double* count, const double* sum_a, const double* sum_b, const double* square_a,
             const double* square_b, const double* product, int size, double* out) {
  for (int i = 0; i < size; ++i) {
    const double n = count[i];
    const double spread_a = n * square_a[i] - sum_a[i] * sum_a[i];
    const double spread_b = n * square_b[i] - sum_b[i] * sum_b[i];
    // Two roots: the product of two small spreads would underflow.
    const double r = (n * product[i] - sum_a[i] * sum_b[i]) / (sqrt(spread_a) * sqrt(spread_b));
    out[i] = r - r == 0 ? r : 0;
  }
}

void SplineFilter(double* data, int rows, int width, const double* start) {
  const double pole = sqrt(3.0) - 2;
  for (int i = 0; i < width; ++i) data[i] *= start[0];
  for (int row = 1; row < rows; ++row) {
    const double* from = data + row * width;
    for (int i = 0; i < width; ++i) data[i] += start[row] * from[i];
  }
  for (int row = 1; row < rows; ++row) {
    double* to = data + row * width;
    const double* before = to - width;
    for (int i = 0; i < width; ++i) to[i] += pole * before[i];
  }
  const double end = pole / (pole * pole - 1);
  double* last = data + (rows - 1) * width;
  for (int i = 0; i < width; ++i) last[i] = end * (last[i] + pole * last[i - width]);
  for (int row = rows - 2; row >= 0; --row) {
    double* to = data + row * width;
    const double* after = to + width;
    for (int i = 0; i < width; ++i) to[i] = pole * (after[i] - to[i]);
  }
}

void SplineGather(const double* coefficients, int row_stride, const int32_t* base,
                  const double* weights, int count, double* out) {
  for (int k = 0; k < count; ++k) {
    const double* wx = weights + 8 * k;
    const double* wy = wx + 4;
    V4 total = {};
    for (int r = 0; r < 4; ++r) {
      const V4u* taps = reinterpret_cast<const V4u*>(coefficients + base[k] + r * row_stride);
      total += ((taps[0] * wx[0] + taps[1] * wx[1]) + (taps[2] * wx[2] + taps[3] * wx[3])) * wy[r];
    }
    *reinterpret_cast<V4u*>(out + 4 * k) = total;
  }
}

void RingMoments(const double* s, const double* l, const double* w, double shift, int count,
                 double* out) {
  V4 sum[6] = {};
  for (int k = 0; k < count; ++k) {
    const V4 sk = *reinterpret_cast<const V4u*>(s + 4 * k) - shift;
    const V4 lk = *reinterpret_cast<const V4u*>(l + 4 * k) - shift;
    const V4 ws = sk * w[k];
    sum[0] += ws;
    sum[1] += ws * sk;
    sum[2] += ws * __builtin_shufflevector(sk, sk, 1, 0, 3, 2);
    sum[3] += lk * w[k];
    sum[4] += ws * lk;
    sum[5] += ws * __builtin_shufflevector(lk, lk, 1, 0, 3, 2);
  }
  for (int i = 0; i < 6; ++i) *reinterpret_cast<V4u*>(out + 4 * i) = sum[i];
}

}  // namespace

extern const Kernels GRIDSWEEP_KERNELS;
const Kernels GRIDSWEEP_KERNELS = {GRIDSWEEP_KERNELS_NAME, Correlate,    Pearson,
                                   SplineFilter,           SplineGather, RingMoments};

}  // namespace gridsweep::scoring

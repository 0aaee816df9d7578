// The hot loops of the grid scorer, compiled once for each instruction set.
// Every sum has one accumulator a result and a fixed order, so all sets give
// equal bits.
#pragma once

#include <cstdint>
#include <span>

namespace gridsweep::scoring {

inline constexpr int kLanes = 8;        // widths of lag rows are multiples of this
inline constexpr int kZeroRows = 8;     // zero rows before a padded map's first
inline constexpr int kMoments = 6 * 4;  // results of Kernels::ring_moments

struct Kernels {
  const char* name;

  // out[di, k] = sum_xy a[x + di, y + dj] * b[x, y] with dj = k - (n - 1), for
  // di in [0, n) and k in [0, lag_width); terms outside [n, n] count as 0.
  //   a, b   at element (0, 0) of maps with kZeroRows zero rows before it and
  //          kLanes zeros on both sides of each row, rows `stride` apart
  //   out    rows lag_width apart; up to kZeroRows - 1 rows more are written
  void (*correlate)(const double* a, const double* b, int n, int stride, double* out,
                    int lag_width);

  // Pearson correlation from sums over `count` pairs; 0 where it is not finite.
  void (*pearson)(const double* count, const double* sum_a, const double* sum_b,
                  const double* square_a, const double* square_b, const double* product, int size,
                  double* out);

  // Cubic B-spline coefficients, over six, along the first axis of data[rows,
  // width], mirror boundary. `start` [rows] weighs the first coefficient.
  void (*spline_filter)(double* data, int rows, int width, const double* start);

  // out[k] = sum_rc wy[r] wx[c] coefficients[base[k] + r * row_stride + 4 c] in
  // four lanes; weights[k] = {wx[4], wy[4]}.
  void (*spline_gather)(const double* coefficients, int row_stride, const int32_t* base,
                        const double* weights, int count, double* out);

  // Sums over `count` points of four lanes s and l, both less `shift`:
  // w s, w s s, w s swap(s), w l, w s l, w s swap(l); swap exchanges lanes 0, 1
  // and lanes 2, 3.
  void (*ring_moments)(const double* s, const double* l, const double* w, double shift, int count,
                       double* out);
};

// What this processor can run, the plainest first; the last is the fastest.
std::span<const Kernels* const> SupportedKernels();

}  // namespace gridsweep::scoring

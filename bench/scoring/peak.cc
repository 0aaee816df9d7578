#include "bench/scoring/peak.h"

#include <time.h>

#include <algorithm>

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
typedef double V __attribute__((vector_size(kBytes)));
// Enough independent chains to hide the latency: 4 cycles of 2 operations.
constexpr int kChains = kBytes == 64 ? 10 : 7;

}  // namespace

double ProcessorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double PeakFlops() {
  constexpr int kSteps = 1 << 20;
  double best = 0;
  for (int trial = 0; trial < 20; ++trial) {
    V product[kChains], sum[kChains];
    V factor = V{} + 1.0, term = V{} + 1e-9;
    for (int i = 0; i < kChains; ++i) product[i] = sum[i] = V{} + 1.0;
    asm volatile("" : "+x"(factor), "+x"(term));  // not to be folded
    const double start = ProcessorSeconds();
    for (int step = 0; step < kSteps; ++step) {
      for (int i = 0; i < kChains; ++i) {
        product[i] *= factor;
        sum[i] += term;
      }
    }
    const double seconds = ProcessorSeconds() - start;
    for (int i = 0; i < kChains; ++i) {
      V keep = product[i] + sum[i];
      asm volatile("" : "+x"(keep));
    }
    best = std::max(best, 2.0 * kChains * kSteps * (kBytes / 8) / seconds);
  }
  return best;
}

#include "science/scoring/kernels.h"

namespace gridsweep::scoring {

extern const Kernels kBaselineKernels;
#ifdef __x86_64__
extern const Kernels kAvx2Kernels;
#endif

std::span<const Kernels* const> SupportedKernels() {
  static const Kernels* const all[] = {
      &kBaselineKernels,
#ifdef __x86_64__
      &kAvx2Kernels,
#endif
  };
  size_t supported = 1;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) supported = 2;
#endif
  return {all, supported};
}

}  // namespace gridsweep::scoring

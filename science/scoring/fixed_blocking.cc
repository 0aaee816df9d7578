#include "science/scoring/fixed_blocking.h"

#include <Eigen/Core>

namespace gridsweep::scoring {

void FixEigenBlocking() {
  constexpr std::ptrdiff_t kLevel1 = 32 << 10, kLevel2 = 512 << 10, kLevel3 = 4 << 20;
  [[maybe_unused]] static const bool fixed = [] {
    Eigen::setCpuCacheSizes(kLevel1, kLevel2, kLevel3);
    return true;
  }();
}

}  // namespace gridsweep::scoring

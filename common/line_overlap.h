// Telling a growing log of which only the last lines are known at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace gridsweep {

// How many of the first of `lines` were told already: the largest n such that they are the last n
// of `told`.
inline size_t LineOverlap(const std::vector<std::string>& told,
                          const std::vector<std::string>& lines) {
  size_t n = std::min(told.size(), lines.size());
  while (n > 0 &&
         !std::equal(told.end() - static_cast<std::ptrdiff_t>(n), told.end(), lines.begin())) {
    --n;
  }
  return n;
}

}  // namespace gridsweep

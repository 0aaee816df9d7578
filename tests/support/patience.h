// How much longer than else things may take: a program under a sanitizer takes some times as long.
#pragma once

namespace gridsweep::testing {

#ifdef GRIDSWEEP_SANITIZED
inline constexpr int kPatience = 5;
#else
inline constexpr int kPatience = 1;
#endif

}  // namespace gridsweep::testing

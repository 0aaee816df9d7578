// Whether figures can be drawn as pictures here.
#pragma once

#include <cstdlib>

namespace gridsweep::testing {

// ./check sets it, and says so, where the renderer could not be had from PyPI: what draws
// pictures with it is then left out.
inline bool WithoutRenderer() { return std::getenv("GRIDSWEEP_NO_RENDERER") != nullptr; }

}  // namespace gridsweep::testing

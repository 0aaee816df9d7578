// A 5 x 7 pixel font: letters, digits, common signs.
#pragma once

#include <array>
#include <cstdint>

namespace gridsweep::analysis {

// Five columns, left to right; bit y of a column is row y from the top. A
// character without a glyph gets that of '?', a space none.
std::array<uint8_t, 5> Glyph(char c);

}  // namespace gridsweep::analysis

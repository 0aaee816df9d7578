// Maps as colours: what every sheet of maps shares.
#pragma once

#include <span>
#include <utility>

#include "analysis/sheet/canvas.h"

namespace gridsweep::analysis {

inline constexpr Rgb kBackground = {255, 255, 255};
inline constexpr Rgb kInk = {30, 30, 36};
inline constexpr Rgb kFaint = {120, 120, 128};
inline constexpr Rgb kRule = {205, 205, 210};
inline constexpr Rgb kNoValue = {216, 216, 216};  // of a NaN

// Dark blue over teal and green to yellow: lightness rises steadily, so that
// it reads in grey as well. `t` in [0, 1].
Rgb Colour(double t);

// A square map [side * side], first index x, with its lower left corner's bin
// at (x, y + (side - 1) * scale): x runs to the right, y upwards, each bin
// `scale` pixels. Colours run from `low` to `high`.
void DrawMap(Canvas& canvas, int x, int y, int side, int scale, std::span<const float> map,
             double low, double high);

// Smallest and largest finite value.
std::pair<double, double> Range(std::span<const float> map);

// A bar of all colours, `width` pixels.
void DrawColourBar(Canvas& canvas, int x, int y, int width, int height);

}  // namespace gridsweep::analysis

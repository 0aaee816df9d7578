#include "analysis/sheet/heat_map.h"

#include <algorithm>
#include <cmath>

namespace gridsweep::analysis {

Rgb Colour(double t) {
  static constexpr double kStops[][3] = {{68, 1, 84},    {65, 68, 135},  {42, 120, 142},
                                         {34, 168, 132}, {122, 209, 81}, {253, 231, 37}};
  constexpr int kLast = 5;
  const double at = std::clamp(t, 0.0, 1.0) * kLast;
  const int i = std::min(static_cast<int>(at), kLast - 1);
  Rgb colour;
  for (int c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(
        std::lround(kStops[i][c] + (at - i) * (kStops[i + 1][c] - kStops[i][c])));
  }
  return colour;
}

void DrawMap(Canvas& canvas, int x, int y, int side, int scale, std::span<const float> map,
             double low, double high) {
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      const double value = map[static_cast<size_t>(i) * side + j];
      const Rgb colour = !std::isfinite(value) ? kNoValue
                         : high > low          ? Colour((value - low) / (high - low))
                                               : Colour(0);
      canvas.Fill(x + i * scale, y + (side - 1 - j) * scale, scale, scale, colour);
    }
  }
}

std::pair<double, double> Range(std::span<const float> map) {
  double low = INFINITY, high = -INFINITY;
  for (const float value : map) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, static_cast<double>(value));
    high = std::max(high, static_cast<double>(value));
  }
  return {low, high};
}

void DrawColourBar(Canvas& canvas, int x, int y, int width, int height) {
  for (int i = 0; i < width; ++i) {
    canvas.Fill(x + i, y, 1, height, Colour(static_cast<double>(i) / (width - 1)));
  }
}

}  // namespace gridsweep::analysis

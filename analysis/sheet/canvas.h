// An RGB picture in memory, with text, written as PNG.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::analysis {

using Rgb = std::array<uint8_t, 3>;

class Canvas {
 public:
  Canvas(int width, int height, Rgb background);
  int width() const { return width_; }
  int height() const { return height_; }

  // Parts outside the canvas are left out.
  void Fill(int x, int y, int width, int height, Rgb colour);
  // Text in a 5 x 7 pixel font, each pixel a square of `scale`; capitals,
  // digits and common signs; small letters are drawn as small letters.
  void Text(int x, int y, std::string_view text, int scale, Rgb colour);
  static int TextWidth(std::string_view text, int scale);
  static int TextHeight(int scale) { return 7 * scale; }

  // The picture as the bytes of a PNG file.
  absl::StatusOr<std::string> Png() const;

 private:
  int width_, height_;
  std::vector<uint8_t> pixels_;  // [height, width, 3]
};

}  // namespace gridsweep::analysis

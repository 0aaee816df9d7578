// A PNG file's pixels, for tests of sheets.
#pragma once

#include <png.h>

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/sheet/canvas.h"

namespace gridsweep::analysis {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;
  Rgb At(int x, int y) const {
    const size_t at = (static_cast<size_t>(y) * width + x) * 3;
    return {rgb[at], rgb[at + 1], rgb[at + 2]};
  }
  // Pixels of exactly this colour.
  int Count(Rgb colour) const {
    int count = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) count += At(x, y) == colour;
    }
    return count;
  }
};

// Empty where `png` is no PNG.
inline Picture Decode(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  Picture picture;
  if (png_image_begin_read_from_memory(&image, png.data(), png.size()) == 0) return picture;
  image.format = PNG_FORMAT_RGB;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr);
  return picture;
}

}  // namespace gridsweep::analysis

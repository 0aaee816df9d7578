#include "analysis/sheet/canvas.h"

#include <png.h>

#include <algorithm>

#include "analysis/sheet/bitmap_font.h"
#include "common/strings.h"

namespace gridsweep::analysis {

Canvas::Canvas(int width, int height, Rgb background)
    : width_(width), height_(height), pixels_(size_t{3} * width * height) {
  Fill(0, 0, width, height, background);
}

void Canvas::Fill(int x, int y, int width, int height, Rgb colour) {
  const int right = std::min(x + width, width_), bottom = std::min(y + height, height_);
  for (int row = std::max(y, 0); row < bottom; ++row) {
    for (int column = std::max(x, 0); column < right; ++column) {
      std::ranges::copy(colour, &pixels_[(size_t{3} * width_ * row) + size_t{3} * column]);
    }
  }
}

void Canvas::Text(int x, int y, std::string_view text, int scale, Rgb colour) {
  for (const char c : text) {
    const auto columns = Glyph(c);
    for (int column = 0; column < 5; ++column) {
      for (int row = 0; row < 7; ++row) {
        if (columns[column] >> row & 1) {
          Fill(x + column * scale, y + row * scale, scale, scale, colour);
        }
      }
    }
    x += 6 * scale;
  }
}

int Canvas::TextWidth(std::string_view text, int scale) {
  return text.empty() ? 0 : static_cast<int>(text.size()) * 6 * scale - scale;
}

absl::StatusOr<std::string> Canvas::Png() const {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  // The largest that it can become.
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels_.data(), 0, nullptr) == 0) {
    return absl::InternalError(StrCat("cannot make the PNG: ", image.message));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace gridsweep::analysis

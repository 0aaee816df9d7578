#include "common/printable.h"

#include <cstdint>
#include <cstdio>

namespace gridsweep {
namespace {

struct Character {
  uint32_t code;
  size_t bytes;  // 0: `text` does not go on with a character of UTF-8
};

// The first character of `text`, which is not empty.
Character First(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes > text.size()) return {0, 0};
  uint32_t code = lead & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return {0, 0};
  return {code, bytes};
}

bool IsShown(uint32_t code) {
  return code >= 0x20 && (code < 0x7F || code > 0x9F) && code != 0x061C && code != 0x200E &&
         code != 0x200F && (code < 0x2028 || code > 0x202E) && (code < 0x2066 || code > 0x2069);
}

std::string Hex(const char* format, unsigned value) {
  char text[8];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string Escaped(std::string_view text, bool lines) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Character c = First(text);
    const size_t bytes = c.bytes == 0 ? 1 : c.bytes;
    if (c.bytes == 0) {
      shown += Hex("\\x%02x", static_cast<unsigned char>(text[0]));
    } else if (IsShown(c.code) || (lines && (c.code == '\n' || c.code == '\t'))) {
      shown += text.substr(0, bytes);
    } else if (c.code == '\n') {
      shown += "\\n";
    } else if (c.code == '\r') {
      shown += "\\r";
    } else if (c.code == '\t') {
      shown += "\\t";
    } else {
      shown += Hex("\\u%04x", c.code);
    }
    text.remove_prefix(bytes);
  }
  return shown;
}

}  // namespace

std::string Printable(std::string_view text) { return Escaped(text, /*lines=*/false); }
std::string PrintableLines(std::string_view text) { return Escaped(text, /*lines=*/true); }

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const Character c = First(text);
    if (c.bytes == 0 || !IsShown(c.code)) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

}  // namespace gridsweep

// The one place where std::string_view meets absl::string_view: Debian's
// Abseil has its own type, and the two do not convert into each other.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace gridsweep {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

namespace internal {
inline absl::AlphaNum Piece(std::string_view s) { return absl::AlphaNum(ToAbsl(s)); }
inline absl::AlphaNum Piece(const std::string& s) { return absl::AlphaNum(s); }
inline absl::AlphaNum Piece(const char* s) { return absl::AlphaNum(s); }
template <typename T>
const T& Piece(const T& value) {
  return value;
}
}  // namespace internal

// absl::StrCat that also takes std::string_view.
template <typename... Args>
std::string StrCat(const Args&... args) {
  return absl::StrCat(internal::Piece(args)...);
}

// Lower-case hex of raw bytes, and back (empty when `hex` is malformed).
std::string ToHex(std::string_view bytes);
std::string FromHex(std::string_view hex);

// "-12,345".
std::string WithCommas(int64_t value);

}  // namespace gridsweep

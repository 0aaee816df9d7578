// A sweep file's text and what sweepspec says of it, as people read it.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

inline constexpr char kStdin[] = "<stdin>";

struct SweepText {
  std::string file;  // as messages name it; kStdin for "-"
  std::string yaml;
};

// Reads FILE, or standard input where it is "-". NOT_FOUND, INVALID_ARGUMENT.
absl::StatusOr<SweepText> ReadSweepText(const std::string& file, Console& console);

// "file:line:column: error: path: message", the line itself and a caret.
std::string NoticeText(const Console& console, const SweepText& text, const v1::Notice& notice);

// Prints all to stderr; true when one is an error.
bool PrintNotices(Console& console, const SweepText& text, const std::vector<v1::Notice>& notices);

}  // namespace gridsweep::sweepctl

#include "sweepctl/sweep_text.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>

#include "common/printable.h"
#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

constexpr size_t kMaxFileBytes = 3 << 20;  // a request holds at most 4 MiB

std::string LineOf(const std::string& text, uint32_t number) {
  std::istringstream lines(text);
  std::string line;
  for (uint32_t i = 0; i < number; ++i) {
    if (!std::getline(lines, line)) return "";
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace

absl::StatusOr<SweepText> ReadSweepText(const std::string& file, Console& console) {
  SweepText text;
  if (file == "-") {
    text.file = kStdin;
    text.yaml.assign(std::istreambuf_iterator<char>(console.in), {});
  } else {
    text.file = file;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) {
      return absl::NotFoundError(StrCat(file, ": there is no such file"));
    }
    if (std::filesystem::is_directory(file, error)) {
      return absl::InvalidArgumentError(StrCat(file, ": is a directory, not a sweep file"));
    }
    std::ifstream in(file, std::ios::binary);
    text.yaml.assign(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof()) {
      return absl::InvalidArgumentError(StrCat(file, ": cannot be read"));
    }
  }
  if (text.yaml.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        StrCat(text.file, ": has ", text.yaml.size(), " bytes; at most ", kMaxFileBytes));
  }
  return text;
}

std::string NoticeText(const Console& console, const SweepText& text, const v1::Notice& notice) {
  const bool error = notice.severity() == v1::Notice::SEVERITY_ERROR;
  std::string result = Printable(text.file);
  if (notice.line() > 0) result += StrCat(":", notice.line());
  if (notice.line() > 0 && notice.column() > 0) result += StrCat(":", notice.column());
  result += ": ";
  result += error ? Styled(console, "31;1", "error") : Styled(console, "36", "note");
  result += ": ";
  if (!notice.path().empty()) result += Printable(notice.path()) + ": ";
  result += Printable(notice.message()) + "\n";
  const std::string line = notice.line() > 0 ? LineOf(text.yaml, notice.line()) : "";
  if (line.empty()) return result;
  const std::string number = std::to_string(notice.line());
  result += StrCat("  ", number, " | ", PrintableLines(line), "\n");
  if (notice.column() == 0) return result;
  // Tabs are copied, so that the caret stands under its column whatever a tab is wide.
  std::string space;
  for (const char c : PrintableLines(std::string_view(line).substr(0, notice.column() - 1))) {
    if ((c & 0xC0) == 0x80) continue;
    space += c == '\t' ? '\t' : ' ';
  }
  return result + StrCat("  ", std::string(number.size(), ' '), " | ", space,
                         Styled(console, "31;1", "^"), "\n");
}

bool PrintNotices(Console& console, const SweepText& text, const std::vector<v1::Notice>& notices) {
  Console on_err = console;
  on_err.colour = console.colour && console.err_terminal;
  bool errors = false;
  for (const auto& notice : notices) {
    console.err << NoticeText(on_err, text, notice);
    errors |= notice.severity() == v1::Notice::SEVERITY_ERROR;
  }
  return errors;
}

}  // namespace gridsweep::sweepctl

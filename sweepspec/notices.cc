#include "sweepspec/notices.h"

#include <algorithm>

#include "common/printable.h"
#include "common/status.h"
#include "common/strings.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {
namespace {

constexpr size_t kMaxPathBytes = 256;

// A path holds keys, which may be as long as the file.
std::string Shortened(const std::string& path) {
  if (path.size() <= kMaxPathBytes) return path;
  size_t cut = kMaxPathBytes;
  while (cut > 0 && (static_cast<unsigned char>(path[cut]) & 0xC0) == 0x80) --cut;
  return path.substr(0, cut) + "...";
}

}  // namespace

void Notices::Add(v1::Notice::Severity severity, const Where& where, const std::string& message) {
  v1::Notice notice;
  notice.set_severity(severity);
  // Both may quote the file, which may be anybody's.
  notice.set_path(Printable(Shortened(where.path)));
  notice.set_line(where.line);
  notice.set_column(where.column);
  notice.set_message(Printable(message));
  notices_.push_back(std::move(notice));
}

void Notices::Error(const Where& where, const std::string& message) {
  if (++errors_ <= kMaxErrors) Add(v1::Notice::SEVERITY_ERROR, where, message);
}

void Notices::Note(const Where& where, const std::string& message) {
  if (++notes_ <= kMaxNotes) Add(v1::Notice::SEVERITY_NOTICE, where, message);
}

std::vector<v1::Notice> Notices::Take() {
  std::stable_sort(notices_.begin(), notices_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.line(), a.column()) < std::pair(b.line(), b.column());
  });
  if (errors_ > kMaxErrors) {
    Add(v1::Notice::SEVERITY_ERROR, {}, StrCat("and ", errors_ - kMaxErrors, " more errors"));
  }
  if (notes_ > kMaxNotes) {
    Add(v1::Notice::SEVERITY_NOTICE, {}, StrCat("and ", notes_ - kMaxNotes, " more notes"));
  }
  return std::move(notices_);
}

absl::Status ToStatus(const std::vector<v1::Notice>& notices, const std::string& file) {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string text;
  for (const auto& notice : notices) {
    if (notice.severity() != v1::Notice::SEVERITY_ERROR) continue;
    std::string place = file;
    if (notice.line() > 0) {
      if (!place.empty()) place += ":";
      place += StrCat(notice.line(), ":", notice.column());
    }
    if (!place.empty()) place += ": ";
    if (!notice.path().empty()) place += notice.path() + ": ";
    if (!text.empty()) text += "\n";
    text += place + notice.message();
    fields.emplace_back(notice.path(), notice.message());
  }
  if (fields.empty()) return absl::OkStatus();
  const absl::Status details = InvalidFields(fields);
  absl::Status status(absl::StatusCode::kInvalidArgument, text);
  details.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    status.SetPayload(type_url, payload);
  });
  return status;
}

}  // namespace gridsweep::sweepspec

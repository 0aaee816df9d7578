#include "coordinator/store/fields.h"

#include "common/printable.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"

namespace gridsweep::coordinator {

absl::Status CheckText(const std::string& path, const std::string& text, size_t most) {
  if (text.size() > most) {
    return InvalidField(path, StrCat("has ", text.size(), " bytes; at most ", most));
  }
  if (text.find('\0') != std::string::npos) return InvalidField(path, "has a NUL character");
  return absl::OkStatus();
}

absl::Status CheckName(const std::string& path, const std::string& name, size_t most) {
  RETURN_IF_ERROR(CheckText(path, name, most));
  if (IsPrintable(name)) return absl::OkStatus();
  return InvalidField(path, StrCat("\"", Printable(name),
                                   "\" has control characters or marks of writing direction; "
                                   "leave them out"));
}

absl::Status CheckSize(const std::string& path, uint64_t number, int bits) {
  const uint64_t most = (uint64_t{1} << (bits - 1)) - 1;
  if (number > most) return InvalidField(path, StrCat(number, " is more than ", most));
  return absl::OkStatus();
}

std::string EndOfLog(const std::string& log) {
  constexpr size_t kMost = 64 << 10;
  if (log.size() <= kMost) return log;
  size_t start = log.size() - kMost;
  while (start < log.size() && (log[start] & 0xC0) == 0x80) ++start;
  return log.substr(start);
}

std::string StartOfError(const std::string& error) {
  constexpr size_t kMost = 16 << 10;
  if (error.size() <= kMost) return error;
  size_t end = kMost;
  while (end > 0 && (error[end] & 0xC0) == 0x80) --end;
  return StrCat(error.substr(0, end), "... (", error.size() - end, " bytes more)");
}

absl::Status CheckRef(const std::string& path, const v1::LeaseRef& ref) {
  if (ref.token().size() == 16) return absl::OkStatus();
  return InvalidField(path + ".token", StrCat("has ", ref.token().size(), " bytes; needs 16"));
}

absl::Status CheckSha256(const std::string& path, const std::string& sha256) {
  return sha256.size() == 32 ? absl::OkStatus() : InvalidField(path, "must have 32 bytes");
}

absl::Status CheckPoint(const std::string& path, const v1::CurvePoint& point) {
  RETURN_IF_ERROR(CheckSize(path + ".step", point.step(), 64));
  constexpr int kThresholds = static_cast<int>(science::kPublishedThresholds.size());
  const auto& fractions = point.fraction_above();
  if (!fractions.empty() && fractions.size() != kThresholds) {
    return InvalidField(
        path + ".fraction_above",
        StrCat("has ", fractions.size(), " values; needs ", kThresholds, ", or none"));
  }
  for (const double fraction : fractions) {
    if (!(fraction >= 0 && fraction <= 1)) {
      return InvalidField(path + ".fraction_above", StrCat(fraction, " is not in [0, 1]"));
    }
  }
  return absl::OkStatus();
}

}  // namespace gridsweep::coordinator

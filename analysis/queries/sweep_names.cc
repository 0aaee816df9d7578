#include "analysis/queries/sweep_names.h"

#include <algorithm>

#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kNamed = 4;
constexpr size_t kLongestName = 40;  // bytes

// Whole characters of UTF-8.
std::string Cut(std::string name) {
  if (name.size() <= kLongestName) return name;
  size_t end = kLongestName;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "...";
}

}  // namespace

absl::StatusOr<std::string> ReadSweepNames(Snapshot& snapshot, std::vector<int64_t> ids) {
  if (ids.empty()) return "all sweeps";
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const size_t count = ids.size();
  if (count > kNamed) ids.resize(kNamed);
  SqlParams params;
  const auto rows = snapshot.Exec(StrCat("select sweep_id, name from sweeps where sweep_id = any(",
                                         params.Ints(ids), ") order by sweep_id"),
                                  params);
  std::string text = count == 1 ? "sweep" : "sweeps";
  const char* separator = " ";
  for (const auto& row : rows) {
    const std::string name = Cut(AsOptionalText(row[1]).value_or(""));
    text += StrCat(separator, AsInt(row[0]), name.empty() ? "" : " ", name);
    separator = ", ";
  }
  if (count > kNamed) text += StrCat(" and ", count - kNamed, " more");
  return text;
}

}  // namespace gridsweep::analysis

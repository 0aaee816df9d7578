#include "sweepspec/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace gridsweep::sweepspec {
namespace {

// Edits (insert, delete, replace, swap of neighbours) between two words, without case.
size_t Distance(std::string_view a, std::string_view b) {
  const auto same = [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  };
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool equal = same(a[i - 1], b[j - 1]);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (equal ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        next[j] = std::min(next[j], before[j - 2] + 1);
      }
    }
    before = row;
    row = next;
  }
  return row[b.size()];
}

}  // namespace

std::string_view Nearest(std::string_view text, const std::vector<std::string_view>& candidates) {
  if (text.empty() || text.size() > 64) return "";
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, text.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    const size_t distance = Distance(text, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view text, const std::vector<std::string_view>& candidates) {
  const std::string_view best = Nearest(text, candidates);
  return best.empty() ? "" : " (did you mean \"" + std::string(best) + "\"?)";
}

std::string Join(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kMax = 80;
  std::string quoted = "\"";
  if (text.size() <= kMax) {
    quoted += text;
  } else {
    size_t cut = kMax;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    quoted += text.substr(0, cut);
    quoted += "...";
  }
  quoted += "\"";
  return quoted;
}

}  // namespace gridsweep::sweepspec

#include "sweepctl/run_state.h"

#include <absl/strings/ascii.h>

#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

constexpr char kPrefix[] = "RUN_STATE_";

}  // namespace

std::string StateText(v1::RunState state) {
  if (state == v1::RUN_STATE_LEASED) return "running";
  const std::string& name = v1::RunState_Name(state);
  if (name.rfind(kPrefix, 0) != 0) return "unknown";  // of a newer server
  return absl::AsciiStrToLower(name.substr(sizeof kPrefix - 1));
}

std::optional<v1::RunState> ParseState(const std::string& text) {
  const std::string word = absl::AsciiStrToLower(text);
  if (word == "running") return v1::RUN_STATE_LEASED;
  v1::RunState state = v1::RUN_STATE_UNSPECIFIED;
  if (!v1::RunState_Parse(kPrefix + absl::AsciiStrToUpper(word), &state) ||
      state == v1::RUN_STATE_UNSPECIFIED) {
    return std::nullopt;
  }
  return state;
}

std::string StateNames() {
  std::string names;
  for (int i = v1::RUN_STATE_PENDING; i <= v1::RunState_MAX; ++i) {
    names += StrCat(names.empty() ? "" : ", ", StateText(static_cast<v1::RunState>(i)));
  }
  return names;
}

}  // namespace gridsweep::sweepctl

// "Did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::sweepspec {

// ` (did you mean "LSTM"?)` when one of `candidates` is near to `text`, else "".
std::string DidYouMean(std::string_view text, const std::vector<std::string_view>& candidates);

// "a, b, c".
std::string Join(const std::vector<std::string_view>& names);

// `text` in double quotes, cut to a readable length at a character's edge.
std::string Quoted(std::string_view text);

}  // namespace gridsweep::sweepspec

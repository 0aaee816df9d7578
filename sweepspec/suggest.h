// "Did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::sweepspec {

// The one of `candidates` that is nearest to `text`, letters of either case being the same; "" when
// more than a third of the letters differ in all of them.
std::string_view Nearest(std::string_view text, const std::vector<std::string_view>& candidates);

// ` (did you mean "LSTM"?)` with the nearest, or "".
std::string DidYouMean(std::string_view text, const std::vector<std::string_view>& candidates);

// "a, b, c".
std::string Join(const std::vector<std::string_view>& names);

// `text` in double quotes, cut to a readable length at a character's edge.
std::string Quoted(std::string_view text);

}  // namespace gridsweep::sweepspec

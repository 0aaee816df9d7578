// The "did you mean" of error messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::analysis {

// ` (did you mean "X"?)` with the name nearest to `word`, or "" when none is
// near (more than a third of its letters differ). Case does not count.
std::string DidYouMean(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace gridsweep::analysis

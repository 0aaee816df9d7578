// Numbers as text, one form everywhere: what JavaScript prints, and what
// RFC 8785 (canonical JSON) asks for.
#pragma once

#include <string>

namespace gridsweep::science {

// The fewest digits that read back as the same number: "2", "0.0001", "1e-7",
// "1e+21"; -0 is "0". Precondition: `value` is finite.
std::string NumberText(double value);

// `value` without the rounding noise of a few operations: the nearest number
// of 15 significant digits (0.1 + 0.2 becomes 0.3). Whole numbers stay as they are.
double Tidy(double value);

}  // namespace gridsweep::science

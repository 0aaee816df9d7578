// Text of others, made fit for one line of a log or for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

// `text` on one line, without what a terminal would obey or what would hide or reorder it: control
// characters (line ends, tabs, ESC, DEL, U+0080 to U+009F), line and paragraph separators and marks
// of writing direction become \n, \r, \t or \uXXXX, bytes that are not UTF-8 \xXX. All else stays
// as it is, a backslash too: what is shown is to be read, not to be parsed.
std::string Printable(std::string_view text);
// The same for text of several lines: line ends (LF) and tabs stay.
std::string PrintableLines(std::string_view text);

// Whether Printable would leave it alone.
bool IsPrintable(std::string_view text);

}  // namespace gridsweep

// Where sweepctl reads and writes, and what kind of places those are: given
// from outside, so that tests see what a terminal or a pipe would.
#pragma once

#include <iosfwd>
#include <string>

namespace gridsweep::sweepctl {

struct Console {
  std::istream& in;
  std::ostream& out;  // results
  std::ostream& err;  // progress, warnings, errors
  bool in_terminal = false;
  bool out_terminal = false;
  bool err_terminal = false;
  // Cursor movement is understood (a terminal that is not TERM=dumb).
  bool out_live = false;
  bool err_live = false;
  bool colour = false;  // of out: NO_COLOR, CLICOLOR_FORCE and TERM=dumb honoured
  int width = 80;       // columns
};

// The process's own streams.
Console ProcessConsole();

// The command's exit code: `code`, or kFailed where it is kDone but not all results could be
// written (a full disk), which is said on stderr. Flushes and closes the process's standard output:
// the last thing that a program does.
int FinishOutput(Console& console, int code);

// `text` in the given SGR style ("1" bold, "31" red...) where colour is on.
std::string Styled(const Console& console, const std::string& style, const std::string& text);

}  // namespace gridsweep::sweepctl

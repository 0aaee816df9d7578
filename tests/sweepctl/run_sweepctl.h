// sweepctl as a function, with its output captured.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "sweepctl/app.h"

namespace gridsweep::sweepctl {

struct Ran {
  int code;
  std::string out, err;
};

// Runs it as if in a pipe; on a terminal 120 columns wide where `terminal`.
inline Ran RunCaptured(const std::vector<std::string>& args, const std::string& input = "",
                       bool terminal = false) {
  std::istringstream in(input);
  std::ostringstream out, err;
  Console console{in, out, err};
  console.out_terminal = console.err_terminal = terminal;
  console.width = 120;
  const int code = RunSweepctl(args, console);
  return {code, out.str(), err.str()};
}

}  // namespace gridsweep::sweepctl

// sweepctl as a function: parses the command line, runs the verb.
#pragma once

#include <string>
#include <vector>

#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

// `args` without the program's name. Returns the exit code (exit_code.h).
int RunSweepctl(const std::vector<std::string>& args, Console& console);

}  // namespace gridsweep::sweepctl

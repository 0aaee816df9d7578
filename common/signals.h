#pragma once

#include <csignal>
#include <functional>

namespace gridsweep {

// Blocks SIGTERM and SIGINT in this thread and all it starts later, and
// ignores SIGPIPE. Call first in main, before any thread exists.
void BlockShutdownSignals();

// Waits for SIGTERM or SIGINT; returns its number. With `poll`, calls it about
// every 100 ms and returns 0 once it answers true.
int WaitForShutdown(const std::function<bool()>& poll = nullptr);

}  // namespace gridsweep

#pragma once

#include <csignal>
#include <functional>

namespace gridsweep {

// Blocks SIGTERM and SIGINT in this thread and all it starts later, and
// ignores SIGPIPE. Threads that libraries started before main hand on to this
// one what they get. Call first in main; this thread is to WaitForShutdown.
void BlockShutdownSignals();

// Waits for SIGTERM or SIGINT; returns its number. With `poll`, calls it about
// every 100 ms and returns 0 once it answers true.
int WaitForShutdown(const std::function<bool()>& poll = nullptr);

}  // namespace gridsweep

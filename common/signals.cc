#include "common/signals.h"

#include <pthread.h>

#include <ctime>

namespace gridsweep {
namespace {

sigset_t ShutdownSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void BlockShutdownSignals() {
  const sigset_t set = ShutdownSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int WaitForShutdown(const std::function<bool()>& poll) {
  const sigset_t set = ShutdownSignals();
  for (;;) {
    const timespec tick{0, 100'000'000};
    const int signal = poll ? sigtimedwait(&set, nullptr, &tick) : sigwaitinfo(&set, nullptr);
    if (signal > 0) return signal;
    if (poll && poll()) return 0;
  }
}

}  // namespace gridsweep

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

// OpenBLAS has a thread as soon as it is loaded, which blocks nothing: the
// kernel may choose it, and by default that would be the program's end.
pthread_t waiting;
void HandOn(int signal) { pthread_kill(waiting, signal); }

}  // namespace

void BlockShutdownSignals() {
  const sigset_t set = ShutdownSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiting = pthread_self();
  struct sigaction action {};
  action.sa_handler = HandOn;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
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

#include "common/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace gridsweep {
namespace {

TEST(ShutdownSignals, ReachWhoWaitsThroughAThreadThatIsOlderAndBlocksNothing) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  std::atomic<bool> done = false;
  std::thread older([&] {
    while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  BlockShutdownSignals();
  for (const int signal : {SIGTERM, SIGINT}) {
    ASSERT_EQ(pthread_kill(older.native_handle(), signal), 0);
    EXPECT_EQ(WaitForShutdown(), signal);
  }
  done = true;
  older.join();
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace gridsweep

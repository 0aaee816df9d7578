#include "common/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace gridsweep {
namespace {

TEST(Executor, FinishesAcceptedWorkBeforeItGoes) {
  std::atomic<int> done{0};
  {
    Executor lane("lane", 2, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(lane.Submit([&](int) { ++done; }));
  }
  EXPECT_EQ(done, 500);
}

TEST(Executor, RefusesAtOnceWhenFull) {
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::promise<void> started;
  Executor lane("lane", 1, 2);
  ASSERT_TRUE(lane.Submit([&](int) {
    started.set_value();
    open.wait();
  }));
  started.get_future().wait();  // the thread is busy, the queue empty
  EXPECT_TRUE(lane.Submit([](int) {}));
  EXPECT_TRUE(lane.Submit([](int) {}));
  EXPECT_FALSE(lane.Submit([](int) {}));
  gate.set_value();
}

TEST(Executor, TellsWorkWhichThreadItIsOn) {
  std::promise<int> seen;
  Executor lane("lane", 1, 10);
  ASSERT_TRUE(lane.Submit([&](int thread) { seen.set_value(thread); }));
  EXPECT_EQ(seen.get_future().get(), 0);
}

}  // namespace
}  // namespace gridsweep

#include "common/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

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

TEST(Executor, ClientsTakeTurns) {
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::promise<void> started;
  std::vector<std::string> begun;  // by the one thread
  {
    Executor lane("lane", 1, 100);
    ASSERT_TRUE(lane.Submit([&](int) {
      started.set_value();
      open.wait();
    }));
    started.get_future().wait();
    for (const char* client : {"a", "a", "a", "b", "b", "c"}) {
      ASSERT_TRUE(lane.Submit([&begun, client](int) { begun.push_back(client); }, client));
    }
    gate.set_value();
  }
  EXPECT_EQ(begun, (std::vector<std::string>{"a", "b", "c", "a", "b", "a"}));
}

TEST(Executor, OneClientLeavesAThreadToOthers) {
  std::promise<void> gate;
  std::shared_future<void> open = gate.get_future().share();
  std::atomic<int> began{0};
  std::promise<void> other;
  Executor lane("lane", 3, 100, /*spared=*/1);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(lane.Submit(
        [&](int) {
          ++began;
          open.wait();
        },
        "busy"));
  }
  ASSERT_TRUE(lane.Submit([&](int) { other.set_value(); }, "other"));
  other.get_future().wait();
  EXPECT_LE(began, 2);
  gate.set_value();
}

TEST(Executor, NobodyInParticularMayHaveAllThreads) {
  std::atomic<int> began{0};
  std::promise<void> all;
  Executor lane("lane", 2, 10, /*spared=*/1);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(lane.Submit([&](int) {
      if (++began == 2) all.set_value();
      while (began < 2) std::this_thread::yield();
    }));
  }
  all.get_future().wait();
}

TEST(Executor, TellsWorkWhichThreadItIsOn) {
  std::promise<int> seen;
  Executor lane("lane", 1, 10);
  ASSERT_TRUE(lane.Submit([&](int thread) { seen.set_value(thread); }));
  EXPECT_EQ(seen.get_future().get(), 0);
}

}  // namespace
}  // namespace gridsweep

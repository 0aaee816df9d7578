#include "common/readiness.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace gridsweep {
namespace {

// Waits for `condition`; false when it does not come true in ten seconds.
template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class Probed : public ::testing::Test {
 protected:
  Probed()
      : readiness_(
            {absl::Milliseconds(2), absl::Milliseconds(100)},
            [this] {
              ++asked_;
              return up_ ? absl::OkStatus() : absl::UnavailableError("no route");
            },
            [this](const absl::Status& now) { (now.ok() ? ups_ : downs_)++; }) {}

  std::atomic<bool> up_ = true;
  std::atomic<int> asked_ = 0, ups_ = 0, downs_ = 0;
  Readiness readiness_;
};

TEST_F(Probed, FollowsWhatItLeansOn) {
  ASSERT_TRUE(Eventually([&] { return readiness_.Status().ok(); }));
  up_ = false;
  ASSERT_TRUE(Eventually([&] { return downs_ == 1; }));
  EXPECT_EQ(readiness_.Status(), absl::UnavailableError("no route"));
  up_ = true;
  ASSERT_TRUE(Eventually([&] { return ups_ == 2; }));
  EXPECT_TRUE(readiness_.Status().ok());
}

TEST_F(Probed, AProgramThatGoesIsNotReadyAgain) {
  ASSERT_TRUE(Eventually([&] { return ups_ == 1; }));
  readiness_.Drain();
  EXPECT_EQ(readiness_.Status(), absl::UnavailableError("shutting down"));
  const int before = asked_;
  ASSERT_TRUE(Eventually([&] { return asked_ > before + 2; }));
  EXPECT_FALSE(readiness_.Status().ok());
}

}  // namespace
}  // namespace gridsweep

#include "coordinator/expiry_guard.h"

#include <gtest/gtest.h>

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(60), kTick = absl::Seconds(1);

ExpiryGuard::Time At(double seconds) {
  return ExpiryGuard::Time(absl::ToChronoNanoseconds(absl::Seconds(seconds)));
}

// Upkeeps that succeed, one a tick; what the last was told.
bool Beat(ExpiryGuard& guard, int from, int to) {
  bool may = false;
  for (int s = from; s <= to; ++s) may = guard.MayExpire(At(s));
  return may;
}

TEST(ExpiryGuard, WaitsOneLeaseTimeAfterTheFirstUpkeep) {
  ExpiryGuard guard(kTtl, kTick);
  EXPECT_FALSE(Beat(guard, 100, 160));
  EXPECT_TRUE(guard.MayExpire(At(161)));
}

TEST(ExpiryGuard, WaitsAgainFromTheFirstUpkeepAfterThoseThatFailed) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  guard.Failed();
  EXPECT_FALSE(guard.MayExpire(At(71)));
  guard.Failed();
  EXPECT_FALSE(Beat(guard, 72, 132));
  EXPECT_TRUE(guard.MayExpire(At(133)));
}

TEST(ExpiryGuard, TakesASuspensionForAnOutage) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  EXPECT_FALSE(guard.MayExpire(At(370))) << "nobody could reach it for five minutes";
  EXPECT_FALSE(Beat(guard, 371, 430));
  EXPECT_TRUE(guard.MayExpire(At(431)));
}

TEST(ExpiryGuard, TakesASlowUpkeepForNone) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  EXPECT_TRUE(guard.MayExpire(At(84)));
  ExpiryGuard brief(absl::Seconds(2), kTick);
  ASSERT_TRUE(Beat(brief, 0, 3));
  EXPECT_TRUE(brief.MayExpire(At(7))) << "a lease time that is no longer than ticks";
}

}  // namespace
}  // namespace gridsweep::coordinator

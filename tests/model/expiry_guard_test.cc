#include "coordinator/expiry_guard.h"

#include <gtest/gtest.h>

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(60), kTick = absl::Seconds(1);

ExpiryGuard::Time At(double seconds) {
  return ExpiryGuard::Time(absl::ToChronoNanoseconds(absl::Seconds(seconds)));
}

// The database's clock goes with ours, `ahead` seconds before it.
bool May(ExpiryGuard& guard, double seconds, double ahead = 0) {
  return guard.MayExpire(At(seconds),
                         absl::FromUnixSeconds(1'000'000) + absl::Seconds(seconds + ahead));
}

// Upkeeps that succeed, one a tick; what the last was told.
bool Beat(ExpiryGuard& guard, int from, int to) {
  bool may = false;
  for (int s = from; s <= to; ++s) may = May(guard, s);
  return may;
}

TEST(ExpiryGuard, WaitsOneLeaseTimeAfterTheFirstUpkeep) {
  ExpiryGuard guard(kTtl, kTick);
  EXPECT_FALSE(Beat(guard, 100, 160));
  EXPECT_TRUE(May(guard, 161));
}

TEST(ExpiryGuard, WaitsAgainFromTheFirstUpkeepAfterThoseThatFailed) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  guard.Failed();
  EXPECT_FALSE(May(guard, 71));
  guard.Failed();
  EXPECT_FALSE(Beat(guard, 72, 132));
  EXPECT_TRUE(May(guard, 133));
}

TEST(ExpiryGuard, TakesASuspensionForAnOutage) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  EXPECT_FALSE(May(guard, 370)) << "nobody could reach it for five minutes";
  EXPECT_FALSE(Beat(guard, 371, 430));
  EXPECT_TRUE(May(guard, 431));
}

TEST(ExpiryGuard, TakesASlowUpkeepForNone) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  EXPECT_TRUE(May(guard, 84));
  ExpiryGuard brief(absl::Seconds(2), kTick);
  ASSERT_TRUE(Beat(brief, 0, 3));
  EXPECT_TRUE(May(brief, 7)) << "a lease time that is no longer than ticks";
}

TEST(ExpiryGuard, TakesAJumpOfTheDatabasesClockForAnOutage) {
  for (const double jump : {70.0, -70.0, 3600.0}) {
    ExpiryGuard guard(kTtl, kTick);
    ASSERT_TRUE(Beat(guard, 0, 70));
    for (int s = 71; s <= 131; ++s) EXPECT_FALSE(May(guard, s, jump)) << s << " " << jump;
    EXPECT_TRUE(May(guard, 132, jump));
  }
}

TEST(ExpiryGuard, AddsUpSmallJumps) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  EXPECT_TRUE(May(guard, 71, 10)) << "no lease that is renewed in time is so near its end";
  EXPECT_FALSE(May(guard, 72, 20));
}

TEST(ExpiryGuard, TakesASlowAnswerForNoJump) {
  ExpiryGuard guard(kTtl, kTick);
  ASSERT_TRUE(Beat(guard, 0, 70));
  // Its clock was read up to 12 s before the answer was there.
  EXPECT_TRUE(guard.MayExpire(At(83), absl::FromUnixSeconds(1'000'000 + 71), absl::Seconds(12)));
}

}  // namespace
}  // namespace gridsweep::coordinator

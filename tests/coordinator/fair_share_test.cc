// Which sweep the next run comes from.
#include "coordinator/fair_share.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace gridsweep::coordinator {
namespace {

SweepInQueue Of(int64_t id, const std::string& user = "") {
  return {.queue = {id, kAnyClass}, .submitted_by = user};
}

// The sweeps of `n` grants one after another.
std::vector<int64_t> Grants(FairShare& share, int n, const Room& room = {}) {
  std::vector<int64_t> sweeps;
  for (int i = 0; i < n; ++i) {
    const SweepInQueue* picked = share.Pick(room);
    if (picked == nullptr) break;
    sweeps.push_back(picked->queue.sweep_id);
    share.Granted(sweeps.back(), 1);
  }
  return sweeps;
}

TEST(FairShare, HasNothingUntilASweepIsOffered) {
  FairShare share;
  EXPECT_EQ(share.Pick({}), nullptr);
  share.Offer(Of(1));
  ASSERT_NE(share.Pick({}), nullptr);
  share.Exhausted(1);
  EXPECT_EQ(share.Pick({}), nullptr);
  EXPECT_EQ(share.exhausted(), std::vector<Queue>{(Queue{1, kAnyClass})});
}

TEST(FairShare, TakesSweepsOfOneUserInTurnTheOldestFirst) {
  FairShare share;
  for (const int64_t id : {3, 1, 2}) share.Offer(Of(id));
  EXPECT_EQ(Grants(share, 6), (std::vector<int64_t>{1, 2, 3, 1, 2, 3}));
}

TEST(FairShare, SharesBetweenUsersBeforeItSharesBetweenTheirSweeps) {
  FairShare share;
  for (int64_t id = 1; id <= 9; ++id) share.Offer(Of(id, "many"));
  share.Offer(Of(10, "one"));
  std::map<int64_t, int> taken;
  for (const int64_t id : Grants(share, 36)) ++taken[id];
  EXPECT_EQ(taken[10], 18);
  for (int64_t id = 1; id <= 9; ++id) EXPECT_EQ(taken[id], 2) << id;
}

TEST(FairShare, AHigherPriorityComesBeforeAllShares) {
  FairShare share;
  share.Offer(Of(1, "idle"));
  SweepInQueue urgent = Of(2, "busy");
  urgent.priority = 1;
  share.Offer(urgent);
  share.Granted(2, 1000);
  EXPECT_EQ(Grants(share, 3), (std::vector<int64_t>{2, 2, 2}));
}

TEST(FairShare, CountsOfTheDatabaseReplaceItsOwnAndCountSweepsThatAreNotOffered) {
  FairShare share;
  share.Offer(Of(1, "a"));
  share.Offer(Of(2, "b"));
  Grants(share, 10);
  // "b" has leases of a sweep that has no claimable run left.
  share.Counted({{1, "a", 3}, {7, "b", 5}});
  EXPECT_EQ(Grants(share, 2), (std::vector<int64_t>{1, 1}));
}

TEST(FairShare, NeverPicksASweepAtItsLimit) {
  FairShare share;
  SweepInQueue limited = Of(1);
  limited.max_parallel = 2;
  share.Offer(limited);
  EXPECT_TRUE(share.offers_limited());
  EXPECT_EQ(Grants(share, 5).size(), 2u);
  share.Granted(1, -1);
  EXPECT_EQ(Grants(share, 5).size(), 1u);
  share.Counted(1, 2, 0);  // its limit was lifted
  EXPECT_EQ(Grants(share, 5).size(), 5u);
}

TEST(FairShare, GivesRunsToWhoCanHoldThem) {
  FairShare share;
  const auto offer = [&](int64_t id, ResourceClass of_class, uint64_t memory) {
    SweepInQueue sweep = Of(id);
    sweep.queue.resource_class = of_class;
    sweep.memory_bytes = memory;
    share.Offer(sweep);
  };
  offer(1, kGpuClass, 0);
  offer(2, kCpuClass, 0);
  offer(3, kAnyClass, 1000);
  EXPECT_EQ(Grants(share, 4, {kCpuClass, 999}), (std::vector<int64_t>{2, 2, 2, 2}));
  EXPECT_EQ(Grants(share, 1, {kCpuClass, 1000}), std::vector<int64_t>{3});
  EXPECT_EQ(Grants(share, 2, {kGpuClass, 10}), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(Grants(share, 1, {kAnyClass, 999}), std::vector<int64_t>{});
}

TEST(FairShare, ForgetsWhatIsNeitherOfferedNorLeased) {
  FairShare share;
  for (const int64_t id : {1, 2, 3}) share.Offer(Of(id));
  share.ExhaustAll();
  share.Offer(Of(2));
  share.Counted({{3, "", 1}});
  EXPECT_EQ(share.ForgetIdle(), std::vector<Queue>{(Queue{1, kAnyClass})});
  EXPECT_EQ(share.exhausted(), std::vector<Queue>{(Queue{3, kAnyClass})});
}

}  // namespace
}  // namespace gridsweep::coordinator

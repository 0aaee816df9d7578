// The floor hides no claimable run for longer than the rescan interval, whatever
// the order of commits.
#include "coordinator/queue_floor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace gridsweep::coordinator {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);
const Queue kQueue{7, 0};

TEST(QueueFloor, LooksFromZeroAtTheStart) {
  const QueueFloor floor;
  EXPECT_EQ(floor.From(kQueue), 0);
  EXPECT_TRUE(floor.RescanDue(kStart, false));
}

TEST(QueueFloor, IsTheFirstPositionOfTheLastBatchOfThatQueueAlone) {
  QueueFloor floor;
  floor.Claimed(kQueue, 40);
  floor.Claimed(kQueue, 104);
  EXPECT_EQ(floor.From(kQueue), 104);
  EXPECT_EQ(floor.From({7, 2}), 0);
  EXPECT_EQ(floor.From({8, 0}), 0);
}

TEST(QueueFloor, RescansEveryIntervalThoughThereIsAlwaysSomething) {
  QueueFloor floor;
  floor.Rescanned(kStart, kStart + absl::Milliseconds(3), {});
  EXPECT_FALSE(floor.RescanDue(kStart + absl::Milliseconds(9999), false));
  EXPECT_TRUE(floor.RescanDue(kStart + absl::Seconds(10), false));
}

TEST(QueueFloor, RescansBeforeItSaysNothingButNotWithoutPause) {
  QueueFloor floor;
  const absl::Time ended = kStart + absl::Milliseconds(1);
  floor.Rescanned(kStart, ended, {});
  EXPECT_FALSE(floor.RescanDue(ended + absl::Milliseconds(199), true));
  EXPECT_TRUE(floor.RescanDue(ended + absl::Milliseconds(200), true));
  EXPECT_FALSE(floor.RescanDue(ended + absl::Milliseconds(200), false));
}

TEST(QueueFloor, SpendsAFiftiethOfTheTimeOnSlowRescansForNothing) {
  QueueFloor floor;
  const absl::Time ended = kStart + absl::Milliseconds(30);
  floor.Rescanned(kStart, ended, {});
  EXPECT_FALSE(floor.RescanDue(ended + absl::Milliseconds(1499), true));
  EXPECT_TRUE(floor.RescanDue(ended + absl::Milliseconds(1500), true));
}

TEST(QueueFloor, IsNotHeldUpByAClockThatIsSetBack) {
  QueueFloor floor;
  floor.Rescanned(kStart, kStart, {});
  EXPECT_TRUE(floor.RescanDue(kStart - absl::Hours(1), false));
}

TEST(QueueFloor, FallsToWhatARescanFindsAndStandsWhereItFindsNothing) {
  QueueFloor floor;
  floor.Claimed(kQueue, 500);
  floor.Claimed({8, 0}, 600);
  floor.Rescanned(kStart, kStart, {{kQueue, 20}});
  EXPECT_EQ(floor.From(kQueue), 20);
  EXPECT_EQ(floor.From({8, 0}), 600);
  floor.Forget({8, 0});
  EXPECT_EQ(floor.From({8, 0}), 0);
}

// A queue as the database has it: positions are handed out in order, each
// becomes visible at a time of its own, a claim takes the first visible ones
// from its floor on and now and then is rolled back. Nothing that is visible
// stays unclaimed for longer than a rescan interval and a turn.
TEST(QueueFloor, HidesNoRunLongerThanTheInterval) {
  for (int seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto uniform = [&](int low, int high) {
      return std::uniform_int_distribution<>(low, high)(random);
    };
    QueueFloor floor;
    struct Run {
      int64_t position;
      absl::Time visible;
    };
    std::vector<Run> waiting;
    int64_t next_position = 1;
    absl::Time now = kStart;
    absl::Duration longest;
    for (int turn = 0; turn < 2000; ++turn) {
      now += absl::Milliseconds(50);
      for (int i = uniform(0, 2); i > 0; --i) {
        waiting.push_back({next_position++, now + absl::Milliseconds(uniform(0, 3) * 700)});
      }
      const auto claimable = [&](int64_t from) {
        std::vector<size_t> found;
        for (size_t i = 0; i < waiting.size(); ++i) {
          if (waiting[i].position >= from && waiting[i].visible <= now) found.push_back(i);
        }
        return found;
      };
      const auto rescan = [&] {
        std::map<Queue, int64_t> first;
        if (const auto found = claimable(0); !found.empty()) {
          first[kQueue] = waiting[found.front()].position;
        }
        floor.Rescanned(now, now, first);
      };
      if (floor.RescanDue(now, false)) rescan();
      std::vector<size_t> found = claimable(floor.From(kQueue));
      if (found.empty() && floor.RescanDue(now, true)) {
        rescan();
        found = claimable(floor.From(kQueue));
      }
      if (found.empty()) continue;
      // Enough for what arrives, so that only the floor can keep a run waiting.
      found.resize(std::min<size_t>(found.size(), 4));
      floor.Claimed(kQueue, waiting[found.front()].position);
      if (uniform(0, 9) == 0) continue;  // rolled back
      for (auto i = found.rbegin(); i != found.rend(); ++i) {
        longest = std::max(longest, now - waiting[*i].visible);
        waiting.erase(waiting.begin() + static_cast<int64_t>(*i));
      }
    }
    for (const Run& run : waiting) longest = std::max(longest, now - run.visible);
    EXPECT_LE(longest, absl::Seconds(10) + absl::Seconds(1)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace gridsweep::coordinator

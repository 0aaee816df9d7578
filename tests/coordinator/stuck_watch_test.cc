#include "coordinator/stuck_watch.h"

#include <gtest/gtest.h>

namespace gridsweep::coordinator {
namespace {

using std::chrono::seconds;

// A worker that beats every `every` seconds, with a clock of the test's own.
class StuckWatchTest : public ::testing::Test {
 protected:
  static v1::LeaseProgress At(v1::Phase phase, uint64_t step, uint64_t done = 0,
                              const std::string& token = "a") {
    v1::LeaseProgress progress;
    progress.mutable_ref()->set_token(token);
    progress.set_phase(phase);
    progress.set_step(step);
    progress.set_phase_done(done);
    return progress;
  }
  bool IsStuck(const v1::LeaseProgress& progress, int after_s) {
    now_ += seconds(after_s);
    return watch_.Observe(kWorker, progress, ++beats_, now_).has_value();
  }
  // Beats with the same progress until it is stuck: after how many seconds, -1 for `limit_s` of
  // none.
  int SecondsUntilStuck(const v1::LeaseProgress& progress, int limit_s) {
    for (int waited = 15; waited <= limit_s; waited += 15) {
      if (IsStuck(progress, 15)) return waited;
    }
    return -1;
  }

  static constexpr int64_t kWorker = 7;
  StuckWatch watch_{{absl::Minutes(5), 100}, absl::Seconds(30)};
  StuckWatch::Time now_ = StuckWatch::Time(std::chrono::hours(1));
  uint64_t beats_ = 0;
};

TEST_F(StuckWatchTest, ARunThatDoesNotAdvanceForFiveMinutesIsStuck) {
  EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, 0), 0));
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_TRAINING, 0), 1000), 315);
}

TEST_F(StuckWatchTest, OneStepIsEnoughToLive) {
  for (int step = 0; step < 10; ++step) {
    EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, static_cast<uint64_t>(step)), 15));
    EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_TRAINING, static_cast<uint64_t>(step)), 270), -1);
  }
}

TEST_F(StuckWatchTest, SlowStepsGetAHundredTimesTheirMedian) {
  // A step takes a minute; one of ten minutes does not move the median.
  for (uint64_t step = 0; step < 6; ++step) {
    for (int beat = 0; beat < (step == 3 ? 40 : 4); ++beat) {
      EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, step), 15));
    }
  }
  const int stuck = SecondsUntilStuck(At(v1::PHASE_TRAINING, 5), 10'000);
  EXPECT_GE(stuck, 5900);
  EXPECT_LE(stuck, 6100);
}

TEST_F(StuckWatchTest, EachPhaseCountsItsOwnWayAndHasItsOwnMedian) {
  for (uint64_t step = 0; step < 5; ++step) {
    for (int beat = 0; beat < 4; ++beat) IsStuck(At(v1::PHASE_TRAINING, step), 15);
  }
  // The slow steps of training say nothing of scoring.
  EXPECT_FALSE(IsStuck(At(v1::PHASE_SCORING, 5, 0), 15));
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_SCORING, 5, 0), 1000), 315);
  EXPECT_FALSE(IsStuck(At(v1::PHASE_SCORING, 5, 1), 15)) << "a unit was scored";
  EXPECT_FALSE(IsStuck(At(v1::PHASE_EVALUATING, 5, 1), 15)) << "another phase has begun";
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_EVALUATING, 5, 1), 285), -1);
}

TEST_F(StuckWatchTest, AnUploadIsNeverStuck) {
  EXPECT_FALSE(IsStuck(At(v1::PHASE_UPLOADING, 10, 3), 15));
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_UPLOADING, 10, 3), 10'000), -1);
}

TEST_F(StuckWatchTest, TimeWithoutHeartbeatsDoesNotCount) {
  EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, 1), 0));
  EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, 1), 1200)) << "an outage of twenty minutes";
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_TRAINING, 1), 1000), 285) << "it counts as 30 s";
}

TEST_F(StuckWatchTest, LeasesAreWatchedApart) {
  EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, 1, 0, "a"), 0));
  EXPECT_EQ(SecondsUntilStuck(At(v1::PHASE_TRAINING, 1, 0, "a"), 300), -1);
  EXPECT_FALSE(IsStuck(At(v1::PHASE_TRAINING, 1, 0, "b"), 15));
  EXPECT_TRUE(IsStuck(At(v1::PHASE_TRAINING, 1, 0, "a"), 15));
}

TEST_F(StuckWatchTest, WhatAHeartbeatLeavesOutIsForgotten) {
  const auto beat = [&](int64_t worker, const std::string& token) {
    return watch_.Observe(worker, At(v1::PHASE_TRAINING, 1, 0, token), 0, now_).has_value();
  };
  for (int waited = 0; waited <= 300; waited += 15) {
    beat(1, "a");
    beat(1, "b");
    beat(2, "c");
    now_ += seconds(15);
  }
  beat(1, "a");
  watch_.KeepOnly(1, now_);
  EXPECT_TRUE(beat(1, "a"));
  EXPECT_FALSE(beat(1, "b")) << "it begins anew";
  EXPECT_TRUE(beat(2, "c")) << "another worker's";
}

TEST_F(StuckWatchTest, ZeroMeansNever) {
  StuckWatch never({absl::ZeroDuration(), 100}, absl::Seconds(30));
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(never.Observe(kWorker, At(v1::PHASE_TRAINING, 1), 0, now_ += seconds(30)));
  }
}

// A worker whose heartbeats go to one coordinator after the other.
class BehindThree : public StuckWatchTest {
 protected:
  // One beat in 15 s.
  bool Beat(const v1::LeaseProgress& progress) {
    now_ += seconds(15);
    ++beats_;
    return watches_[beats_ % 3].Observe(kWorker, progress, beats_, now_).has_value();
  }

  StuckWatch watches_[3] = {{{absl::Minutes(5), 100}, absl::Seconds(30)},
                            {{absl::Minutes(5), 100}, absl::Seconds(30)},
                            {{absl::Minutes(5), 100}, absl::Seconds(30)}};
};

TEST_F(BehindThree, AStuckRunIsFoundAsSoonAsBehindOne) {
  int waited = 0;
  while (!Beat(At(v1::PHASE_TRAINING, 1)) && waited < 1000) waited += 15;
  EXPECT_GE(waited, 300);
  EXPECT_LE(waited, 345) << "315 behind one, and the two beats until each has heard of it";
}

TEST_F(BehindThree, AnOutageOfAllMakesNoRunStuck) {
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(Beat(At(v1::PHASE_TRAINING, 1)));
  now_ += seconds(600);  // no beat was answered
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Beat(At(v1::PHASE_TRAINING, 1)));
}

}  // namespace
}  // namespace gridsweep::coordinator

// Checkpoints in the store: under the lease, the newest step, dropped in the end.
#include "coordinator/store/checkpoints.h"

#include <gmock/gmock.h>

#include "coordinator/store/artifact_garbage.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

class CheckpointsTest : public StoreTest {
 protected:
  static v1::CheckpointRef At(uint64_t step) {
    v1::CheckpointRef checkpoint;
    checkpoint.set_step(step);
    checkpoint.set_size(100 + step);
    checkpoint.set_sha256(Sha256::Of(StrCat("checkpoint ", step)));
    checkpoint.set_numerics_id("test");
    checkpoint.set_science_version(7);
    return checkpoint;
  }
  void Lose(int64_t run_id) {
    Query(StrCat(
        "update leases set expires_at = clock_timestamp() - interval '1 s' where run_id = ", run_id,
        " returning 1"));
    const auto upkeep = DoUpkeep(db_, true, absl::ZeroDuration(), {absl::ZeroDuration(), 0});
    ASSERT_TRUE(upkeep.ok()) << upkeep.status();
    ASSERT_EQ(upkeep->expired.size(), 1U);
  }
};

TEST_F(CheckpointsTest, TheNextLeaseNamesTheNewestOne) {
  Create(SmallSweep(1));
  const TestWorker worker = Register("w");
  const Grant first = Claim(worker, 1).at(0);
  EXPECT_FALSE(first.checkpoint.has_value());
  for (const uint64_t step : {10, 30, 20}) {  // the one of step 20 comes late
    ASSERT_TRUE(RecordCheckpoint(db_, first.key, At(step)).ok());
  }
  ASSERT_TRUE(ReleaseLeases(db_, {first.key}, "").ok());
  const Grant second = Claim(worker, 1).at(0);
  ASSERT_TRUE(second.checkpoint.has_value());
  EXPECT_EQ(second.checkpoint->SerializeAsString(), At(30).SerializeAsString());
  EXPECT_EQ(*HasCheckpoint(db_, second.key, At(30).sha256()), true);
  EXPECT_EQ(*HasCheckpoint(db_, second.key, At(10).sha256()), false);
}

TEST_F(CheckpointsTest, TheSameRequestHearsOfItAgain) {
  Create(SmallSweep(1));
  const TestWorker worker = Register("w");
  const Grant first = Claim(worker, 1).at(0);
  ASSERT_TRUE(RecordCheckpoint(db_, first.key, At(10)).ok());
  ASSERT_TRUE(ReleaseLeases(db_, {first.key}, "").ok());
  const std::vector<Demand> demand = {{worker.id, worker.incarnation, RandomBytes(16), 1}};
  for (int i = 0; i < 2; ++i) {
    const auto claimed = ClaimRuns(db_, demand, absl::Seconds(60));
    ASSERT_TRUE(claimed.ok()) << claimed.status();
    ASSERT_TRUE((*claimed)[0].grants.at(0).checkpoint.has_value());
    EXPECT_EQ((*claimed)[0].grants[0].checkpoint->step(), 10U);
  }
}

TEST_F(CheckpointsTest, AreRefusedWithoutTheLease) {
  Create(SmallSweep(1));
  const Grant grant = Claim(Register("w"), 1).at(0);
  ASSERT_TRUE(ReleaseLeases(db_, {grant.key}, "").ok());
  EXPECT_TRUE(IsLost(RecordCheckpoint(db_, grant.key, At(10))));
  EXPECT_TRUE(IsLost(HasCheckpoint(db_, grant.key, At(10).sha256()).status()));
  EXPECT_EQ(Count("select count(*) from checkpoints"), 0);
}

TEST_F(CheckpointsTest, AreDroppedWithTheirFilesWhenTheRunHasEnded) {
  Create(SmallSweep(3));
  const auto grants = Claim(Register("w"), 3);
  ASSERT_EQ(grants.size(), 3U);
  ASSERT_TRUE(RecordCheckpoint(db_, grants[0].key, At(10)).ok());
  ASSERT_TRUE(RecordCheckpoint(db_, grants[1].key, At(20)).ok());
  ASSERT_TRUE(RecordCheckpoint(db_, grants[1].key, At(30)).ok());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(grants[0].key)).ok());
  const auto dropped = DropCheckpoints(db_, 10);
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_EQ(*dropped, 1) << "that of the run that has ended";
  EXPECT_EQ(ForgetArtifacts(db_, 10).value(), 2) << "and the one that was replaced";
  std::vector<std::string> unlinked;
  ASSERT_TRUE(UnlinkForgotten(db_, 10, [&](const std::string& sha256) {
                unlinked.push_back(sha256);
                return absl::OkStatus();
              }).ok());
  EXPECT_THAT(unlinked, ::testing::UnorderedElementsAre(At(10).sha256(), At(20).sha256()));
  // What is in use stays, and so does the result.
  EXPECT_EQ(*HasCheckpoint(db_, grants[1].key, At(30).sha256()), true);
  EXPECT_EQ(Count("select count(*) from artifacts where kind = 'result'"), 1);
}

TEST_F(CheckpointsTest, ARunThatIsLostAgainAndAgainFailsOnlyWithoutProgress) {
  Create(SmallSweep(2));
  const TestWorker worker = Register("w");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const auto grants = Claim(worker, 2);
    ASSERT_EQ(grants.size(), 2U);
    // One run gets further each time, the other stays where it was.
    ASSERT_TRUE(RecordCheckpoint(db_, grants[0].key, At(static_cast<uint64_t>(attempt))).ok());
    Lose(grants[0].key.run_id);
    Lose(grants[1].key.run_id);
    const std::string failures = "select failures from run_state where run_id = ";
    EXPECT_EQ(Count(StrCat(failures, grants[0].key.run_id)), 0);
    EXPECT_EQ(Count(StrCat(failures, grants[1].key.run_id)), attempt == 5 ? 1 : 0);
    Query("update run_state set state = 0 where state = 1 returning 1");
  }
}

TEST_F(CheckpointsTest, AnAttemptSaysHowMuchWorkWasLostWithIt) {
  Create(SmallSweep(3));
  const auto grants = Claim(Register("w"), 3);
  Query("update leases set granted_at = clock_timestamp() - interval '100 s' returning 1");
  ASSERT_TRUE(RecordCheckpoint(db_, grants[0].key, At(10)).ok());
  for (const Grant& grant : grants) {
    if (grant.key.run_id == grants[2].key.run_id) {
      ASSERT_TRUE(CompleteRun(db_, ResultOf(grant.key)).ok());
    } else {
      ASSERT_TRUE(ReleaseLeases(db_, {grant.key}, "").ok());
    }
  }
  const std::string wasted = "select round(wasted_seconds / 100) from attempts where run_id = ";
  EXPECT_EQ(Count(StrCat(wasted, grants[0].key.run_id)), 0);  // since the checkpoint
  EXPECT_EQ(Count(StrCat(wasted, grants[1].key.run_id)), 1);
  EXPECT_EQ(Count(StrCat(wasted, grants[2].key.run_id)), 0);
}

TEST_F(CheckpointsTest, TheSweepSaysHowOftenToSave) {
  auto sweep = SmallSweep(1);
  sweep.settings.mutable_checkpoint_interval()->set_seconds(90);
  const v1::Sweep created = Create(sweep);
  EXPECT_EQ(created.settings().checkpoint_interval().seconds(), 90);
  const Grant grant = Claim(Register("w"), 1).at(0);
  EXPECT_EQ(grant.checkpoint_interval, absl::Seconds(90));
}

}  // namespace
}  // namespace gridsweep::coordinator

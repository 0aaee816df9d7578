// Files on their way, in the store: whatever becomes of a lease, its files are named or found.
#include "coordinator/store/artifact_uploads.h"

#include <set>

#include "coordinator/store/artifact_garbage.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/lifecycle.h"
#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kNone = absl::ZeroDuration();

class ArtifactUploads : public StoreTest {
 protected:
  // A file as a coordinator stores it.
  void Upload(const LeaseKey& key, const std::string& sha256, const char* kind = "result") {
    ASSERT_TRUE(AnnounceArtifact(db_, key, sha256, kind).ok());
    files_.insert(sha256);
    ASSERT_TRUE(RecordArtifact(db_, key, sha256, 10, kind).ok());
  }
  void Save(const LeaseKey& key, uint64_t step, const std::string& sha256) {
    v1::CheckpointRef checkpoint;
    checkpoint.set_step(step);
    checkpoint.set_size(10);
    checkpoint.set_sha256(sha256);
    checkpoint.set_numerics_id("test");
    ASSERT_TRUE(AnnounceArtifact(db_, key, sha256, "checkpoint").ok());
    files_.insert(sha256);
    ASSERT_TRUE(RecordCheckpoint(db_, key, checkpoint).ok());
  }
  // What the collector does.
  void Collect(absl::Duration grace = kNone) {
    EXPECT_TRUE(AbandonUploads(db_, grace, 100).ok());
    EXPECT_TRUE(DropCheckpoints(db_, 100).ok());
    EXPECT_TRUE(ForgetArtifacts(db_, 100).ok());
    EXPECT_TRUE(UnlinkForgotten(db_, 100, [&](const std::string& sha256) {
                  files_.erase(sha256);
                  return absl::OkStatus();
                }).ok());
  }
  void Release(const LeaseKey& key) { ASSERT_TRUE(ReleaseLeases(db_, {key}, "").ok()); }
  void ExpectNothingIsLeft() {
    EXPECT_TRUE(files_.empty());
    EXPECT_EQ(Count("select (select count(*) from artifacts) + (select count(*) from "
                    "artifact_garbage) + (select count(*) from artifact_uploads)"),
              0);
  }

  std::set<std::string> files_;  // in the artifact directory
};

TEST_F(ArtifactUploads, AFileWhoseLeaseEndsIsCollectedAfterTheGrace) {
  Create(SmallSweep(1));
  const LeaseKey key = Claim(Register("w"), 1)[0].key;
  Upload(key, Sha256::Of("a"));
  Collect();
  EXPECT_EQ(files_.size(), 1u) << "the lease may complete with it, however long that takes";
  Release(key);
  Collect(absl::Hours(1));
  EXPECT_EQ(files_.size(), 1u) << "within the grace";
  Collect();
  ExpectNothingIsLeft();
}

TEST_F(ArtifactUploads, AFileThatWasPutInPlaceAndNeverRecordedIsCollected) {
  Create(SmallSweep(1));
  const LeaseKey key = Claim(Register("w"), 1)[0].key;
  ASSERT_FALSE(AnnounceArtifact(db_, key, Sha256::Of("a"), "result").value());
  files_.insert(Sha256::Of("a"));  // here the coordinator is killed
  Release(key);
  Collect();
  ExpectNothingIsLeft();
}

TEST_F(ArtifactUploads, ALeaseLeavesOneFileOfAKindHoweverManyItUploads) {
  Create(SmallSweep(1));
  const LeaseKey key = Claim(Register("w"), 1)[0].key;
  for (int i = 0; i < 20; ++i) {
    Upload(key, Sha256::Of(StrCat("result ", i)));
    Save(key, 100, Sha256::Of(StrCat("checkpoint ", i)));
  }
  Collect();
  EXPECT_EQ(files_, (std::set<std::string>{Sha256::Of("result 19"), Sha256::Of("checkpoint 19")}));
  Release(key);
  Collect();
  EXPECT_EQ(files_, std::set<std::string>{Sha256::Of("checkpoint 19")}) << "for the next lease";
}

TEST_F(ArtifactUploads, TheFileOfAResultStays) {
  Create(SmallSweep(1));
  const LeaseKey key = Claim(Register("w"), 1)[0].key;
  const std::string sha256 = Sha256::Of(StrCat("artifact of ", key.run_id));
  Upload(key, sha256);
  ASSERT_TRUE(CompleteRun(db_, ResultOf(key)).ok());
  EXPECT_EQ(Count("select count(*) from artifact_uploads"), 0);
  Collect();
  EXPECT_EQ(files_, std::set<std::string>{sha256});
}

// A deleted sweep lets go of the bytes that another lease has just uploaded, and not yet named.
TEST_F(ArtifactUploads, WhatALeaseUploadsIsNoGarbageOfAnother) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const auto worker = Register("w");
  const LeaseKey first = Claim(worker, 1)[0].key;
  const std::string sha256 = Sha256::Of(StrCat("artifact of ", first.run_id));
  Upload(first, sha256);
  ASSERT_TRUE(CompleteRun(db_, ResultOf(first)).ok());
  Create(SmallSweep(1));
  const LeaseKey second = Claim(worker, 1)[0].key;
  EXPECT_TRUE(AnnounceArtifact(db_, second, sha256, "result").value());
  ASSERT_TRUE(DeleteSweep(db_, sweep.sweep_id()).ok());
  while (DeleteSomeRuns(db_, 10).value()) {
  }
  Collect();
  EXPECT_EQ(files_, std::set<std::string>{sha256});
  Completion completion = ResultOf(second);
  completion.header.mutable_artifacts(0)->set_sha256(sha256);
  EXPECT_TRUE(CompleteRun(db_, completion).ok());
}

// Once it stopped the collector for ever: a result's foreign key held the row.
TEST_F(ArtifactUploads, ACheckpointThatIsAResultTooHoldsUpNobody) {
  Create(SmallSweep(2));
  const auto grants = Claim(Register("w"), 2);
  const LeaseKey odd = grants[0].key, other = grants[1].key;
  const std::string both = Sha256::Of(StrCat("artifact of ", odd.run_id));
  Save(odd, 10, both);
  Save(other, 10, Sha256::Of("other"));
  Upload(odd, both);
  ASSERT_TRUE(CompleteRun(db_, ResultOf(odd)).ok());
  ASSERT_TRUE(CompleteRun(db_, ResultOf(other)).ok());
  Query("update artifacts set touched_at = clock_timestamp() - interval '1 day' returning 1");
  Collect();
  EXPECT_EQ(files_.count(both), 1u) << "the result's file stays";
  EXPECT_EQ(files_.count(Sha256::Of("other")), 0u);
  EXPECT_EQ(Count("select count(*) from artifact_garbage"), 0);
}

TEST_F(ArtifactUploads, ACheckpointGoesWithItsRun) {
  const v1::Sweep sweep = Create(SmallSweep(1));
  const LeaseKey key = Claim(Register("w"), 1)[0].key;
  Save(key, 10, Sha256::Of("saved"));
  ASSERT_TRUE(CancelSweep(db_, sweep.sweep_id()).ok());
  Release(key);
  ASSERT_TRUE(DeleteSweep(db_, sweep.sweep_id()).ok());
  while (DeleteSomeRuns(db_, 10).value()) {
  }
  Collect();
  ExpectNothingIsLeft();
}

TEST_F(ArtifactUploads, AFileThatCannotBeRemovedHoldsUpNoOther) {
  std::vector<std::string> hashes;
  for (int i = 0; i < 10; ++i) hashes.push_back(Sha256::Of(StrCat(i)));
  ASSERT_TRUE(AbandonArtifacts(db_, hashes).ok());
  int removed = 0;
  for (int round = 0; round < 10; ++round) {
    const auto done = UnlinkForgotten(db_, 2, [&](const std::string& sha256) {
      return sha256 == hashes[0] || sha256 == hashes[1] ? absl::InternalError("a directory")
                                                        : absl::OkStatus();
    });
    ASSERT_TRUE(done.ok()) << done.status();
    removed += *done;
  }
  EXPECT_EQ(removed, 8);
}

}  // namespace
}  // namespace gridsweep::coordinator

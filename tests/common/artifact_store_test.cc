#include "common/artifact_store.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>
#include <iterator>

#include "common/strings.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

class ArtifactDirectory : public ::testing::Test {
 protected:
  std::unique_ptr<ArtifactStore> Open() {
    return OpenArtifactDirectory(root_ / "a", "instance-1", true).value();
  }
  int Files() const {
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      files += entry.is_regular_file() && entry.path().filename() != "gridsweep-instance";
    }
    return files;
  }

  const testing::TemporaryDirectory root_;
};

TEST_F(ArtifactDirectory, StoresBytesUnderTheirHash) {
  auto store = Open();
  const std::string hash = Sha256::Of("hello grid");
  auto upload = store->Begin({"token", hash}, 0).value();
  ASSERT_TRUE(upload->Append("hello ").ok());
  ASSERT_TRUE(upload->Append("grid").ok());
  EXPECT_FALSE(store->Has(hash));
  ASSERT_TRUE(upload->Commit().ok());
  const fs::path path = store->Open(hash).value();
  const std::string hex = ToHex(hash);
  EXPECT_EQ(path, root_ / "a" / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5"));
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "hello grid");
}

TEST_F(ArtifactDirectory, WithoutRoomForANewDirectoryIsUnavailableAndRecovers) {
  // Room for the marker, tmp, and two more: the file, and one of the two levels above it.
  testing::SmallDisk disk("size=1m,nr_inodes=5");
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  auto store = OpenArtifactDirectory(disk.path(), "instance-1", true).value();
  const std::string hash = Sha256::Of("grid");
  auto upload = store->Begin({"token", hash}, 0).value();
  ASSERT_TRUE(upload->Append("grid").ok());
  EXPECT_EQ(upload->Commit().code(), absl::StatusCode::kUnavailable);
  upload.reset();
  EXPECT_FALSE(store->Has(hash));

  // The file that failed has gone again, and so there is room for the second level.
  ASSERT_TRUE(disk.Remount("size=1m,nr_inodes=9"));
  upload = store->Begin({"token", hash}, 0).value();
  ASSERT_TRUE(upload->Append("grid").ok());
  EXPECT_TRUE(upload->Commit().ok());
  EXPECT_TRUE(store->Has(hash));
}

TEST_F(ArtifactDirectory, WhatIsNoHashOf32BytesIsNeverAPath) {
  auto store = Open();
  std::ofstream(root_ / "outside.h5") << "kept";
  const int64_t before = Files();
  for (const std::string& name :
       {std::string(), std::string("x"), std::string("../../outside"), std::string(31, 'a'),
        std::string(33, 'a'), std::string("/etc/passwd"), std::string(1, '\0')}) {
    EXPECT_FALSE(store->Has(name)) << name;
    EXPECT_EQ(store->Open(name).status().code(), absl::StatusCode::kNotFound) << name;
    EXPECT_TRUE(store->Remove(name).ok()) << name;
    EXPECT_EQ(store->Begin({"token", name}, 0).status().code(), absl::StatusCode::kInvalidArgument)
        << name;
  }
  // Even a name that is a path in itself becomes hexadecimal digits.
  const std::string climbing = "../../../../../../../outside.h5/";
  ASSERT_EQ(climbing.size(), 32u);
  EXPECT_FALSE(store->Has(climbing));
  EXPECT_TRUE(store->Remove(climbing).ok());
  EXPECT_EQ(Files(), before);
  EXPECT_TRUE(fs::exists(root_ / "outside.h5"));
}

TEST_F(ArtifactDirectory, WrongHashIsDataLossAndLeavesNothing) {
  auto store = Open();
  const std::string hash = Sha256::Of("other");
  {
    auto upload = store->Begin({"token", hash}, 0).value();
    ASSERT_TRUE(upload->Append("hello").ok());
    EXPECT_EQ(upload->Commit().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_FALSE(store->Has(hash));
  EXPECT_FALSE(store->Has(Sha256::Of("hello")));
  EXPECT_EQ(Files(), 0);
}

TEST_F(ArtifactDirectory, ABrokenUploadGoesOnWhereItStoppedAtAnotherCoordinator) {
  const std::string bytes = "half and the other half";
  const UploadKey key{"token", Sha256::Of(bytes)};
  ASSERT_TRUE(Open()->Begin(key, 0).value()->Append(bytes.substr(0, 10)).ok());
  auto store = Open();
  EXPECT_EQ(store->PartialSize(key), 10u);
  EXPECT_EQ(store->PartialSize({"another's token", key.sha256}), 0u);
  // More than is there; the question is asked again then.
  EXPECT_TRUE(absl::IsAborted(store->Begin(key, 11).status()));
  // Less: what is beyond goes.
  auto upload = store->Begin(key, 7).value();
  EXPECT_EQ(store->PartialSize(key), 7u);
  ASSERT_TRUE(upload->Append(bytes.substr(7)).ok());
  ASSERT_TRUE(upload->Commit().ok());
  upload.reset();
  std::ifstream in(store->Open(key.sha256).value());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), bytes);
  EXPECT_EQ(Files(), 1);
}

TEST_F(ArtifactDirectory, WhatWasLeftHalfWayNamesNoToken) {
  auto store = Open();
  const std::string token = "sixteen bytes...", hash = Sha256::Of("whole");
  ASSERT_TRUE(store->Begin({token, hash}, 0).value()->Append("who").ok());
  int found = 0;
  for (const auto& entry : fs::directory_iterator(root_ / "a" / "tmp")) {
    ++found;
    EXPECT_EQ(entry.path().filename(), UploadName({token, hash}));
    EXPECT_EQ(entry.path().string().find(ToHex(token)), std::string::npos);
    EXPECT_EQ(entry.path().filename().string().rfind(UploadPrefix(token), 0), 0u);
  }
  EXPECT_EQ(found, 1);
}

TEST_F(ArtifactDirectory, ALeaseLeavesOneFileHalfWayAtMost) {
  auto store = Open();
  for (const char* whole : {"first", "second", "third"}) {
    ASSERT_TRUE(store->Begin({"token", Sha256::Of(whole)}, 0).value()->Append("half").ok());
  }
  EXPECT_EQ(Files(), 1);
  EXPECT_EQ(store->PartialSize({"token", Sha256::Of("third")}), 4u);
  // An empty one tells nobody anything.
  ASSERT_TRUE(store->Begin({"other", Sha256::Of("first")}, 0).ok());
  EXPECT_EQ(Files(), 1);
}

TEST_F(ArtifactDirectory, TwoNeverWriteToOneFileNorToWhatIsStored) {
  auto store = Open(), elsewhere = Open();
  const UploadKey key{"token", Sha256::Of("hello")};
  auto first = store->Begin(key, 0).value();
  ASSERT_TRUE(first->Append("hel").ok());
  EXPECT_TRUE(absl::IsUnavailable(elsewhere->Begin(key, 3).status()));
  // Nor does a new file of the lease take what is under way.
  auto other = elsewhere->Begin({"token", Sha256::Of("other")}, 0).value();
  ASSERT_TRUE(first->Append("lo").ok());
  ASSERT_TRUE(first->Commit().ok());
  // The name is free again, and no way to what was stored.
  auto again = elsewhere->Begin(key, 0).value();
  ASSERT_TRUE(again->Append("forged").ok());
  std::ifstream in(store->Open(key.sha256).value());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "hello");
}

TEST_F(ArtifactDirectory, ThatIsAwayIsUnavailableWhateverIsAskedOfIt) {
  auto store = Open();
  const UploadKey key{"token", Sha256::Of("hello")};
  ASSERT_TRUE(store->Probe().ok()) << store->Probe();
  EXPECT_EQ(Files(), 0);
  EXPECT_TRUE(absl::IsNotFound(store->Open(key.sha256).status()));
  auto upload = store->Begin(key, 0).value();
  ASSERT_TRUE(upload->Append("hello").ok());
  fs::rename(root_ / "a", root_ / "mended");
  EXPECT_TRUE(absl::IsUnavailable(upload->Commit()));
  fs::create_directory(root_ / "a");  // a mount point without its file system
  for (const absl::Status& status :
       {store->Begin(key, 0).status(), store->Open(key.sha256).status(), store->Probe(),
        store->Remove(key.sha256)}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_NE(status.message().find((root_ / "a").c_str()), absl::string_view::npos) << status;
  }
  fs::remove(root_ / "a");
  fs::rename(root_ / "mended", root_ / "a");
  EXPECT_TRUE(store->Probe().ok()) << store->Probe();
  EXPECT_TRUE(store->Remove(key.sha256).ok()) << "what is gone is removed";
}

TEST_F(ArtifactDirectory, ThatIsReadOnlyOrFullIsUnavailableWhateverIsAskedOfIt) {
  testing::SmallDisk disk("size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  auto store = OpenArtifactDirectory(disk.path(), "instance-1", true).value();
  const UploadKey key{"token", Sha256::Of("hello")};
  auto upload = store->Begin({"token", Sha256::Of("large")}, 0).value();
  EXPECT_TRUE(absl::IsUnavailable(upload->Append(std::string(1 << 20, 'x'))));
  EXPECT_TRUE(absl::IsUnavailable(store->Probe()));
  upload.reset();  // with what it had written
  EXPECT_TRUE(store->Probe().ok()) << store->Probe();

  ASSERT_EQ(mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  EXPECT_TRUE(absl::IsUnavailable(store->Begin(key, 0).status()));
  EXPECT_TRUE(absl::IsUnavailable(store->Probe()));
  EXPECT_TRUE(absl::IsNotFound(store->Open(key.sha256).status()));  // it can still be read
}

TEST_F(ArtifactDirectory, RefusesAnotherDatabasesDirectory) {
  Open();
  EXPECT_EQ(OpenArtifactDirectory(root_ / "a", "instance-2", true).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(OpenArtifactDirectory(root_ / "a", "instance-1", false).ok());
}

TEST_F(ArtifactDirectory, RefusesADirectoryWithOtherThingsInIt) {
  std::ofstream(root_ / "thesis.tex") << "\\begin{document}";
  EXPECT_EQ(OpenArtifactDirectory(root_.path(), "instance-1", true).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ArtifactDirectory, ThatIsNotMountedIsUnavailable) {
  EXPECT_TRUE(absl::IsUnavailable(
      OpenArtifactDirectory(root_ / "absent", "instance-1", false).status()));
  fs::create_directory(root_ / "empty");
  EXPECT_TRUE(
      absl::IsUnavailable(OpenArtifactDirectory(root_ / "empty", "instance-1", false).status()));
  EXPECT_TRUE(fs::is_empty(root_ / "empty"));
}

}  // namespace
}  // namespace gridsweep

#include "common/artifact_store.h"

#include <gtest/gtest.h>

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
  auto upload = store->Begin().value();
  ASSERT_TRUE(upload->Append("hello ").ok());
  ASSERT_TRUE(upload->Append("grid").ok());
  const std::string hash = Sha256::Of("hello grid");
  EXPECT_FALSE(store->Has(hash));
  ASSERT_TRUE(upload->Commit(hash).ok());
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
  auto upload = store->Begin().value();
  ASSERT_TRUE(upload->Append("grid").ok());
  EXPECT_EQ(upload->Commit(hash).code(), absl::StatusCode::kUnavailable);
  upload.reset();
  EXPECT_FALSE(store->Has(hash));

  // The file that failed has gone again, and so there is room for the second level.
  ASSERT_TRUE(disk.Remount("size=1m,nr_inodes=9"));
  upload = store->Begin().value();
  ASSERT_TRUE(upload->Append("grid").ok());
  EXPECT_TRUE(upload->Commit(hash).ok());
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
    auto upload = store->Begin().value();
    ASSERT_TRUE(upload->Append("hello").ok());
    EXPECT_EQ(upload->Commit(name).code(), absl::StatusCode::kDataLoss) << name;
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
  {
    auto upload = store->Begin().value();
    ASSERT_TRUE(upload->Append("hello").ok());
    EXPECT_EQ(upload->Commit(Sha256::Of("other")).code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_FALSE(store->Has(Sha256::Of("hello")));
  EXPECT_EQ(Files(), 0);
}

TEST_F(ArtifactDirectory, AbandonedUploadLeavesNothing) {
  auto store = Open();
  {
    auto upload = store->Begin().value();
    ASSERT_TRUE(upload->Append("half").ok());
    EXPECT_EQ(Files(), 1);
  }
  EXPECT_EQ(Files(), 0);
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
  EXPECT_EQ(OpenArtifactDirectory(root_ / "absent", "instance-1", false).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace gridsweep

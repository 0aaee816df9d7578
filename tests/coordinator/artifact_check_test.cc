// The artifact directory against the database, and what the collector leaves of it.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <map>
#include <thread>

#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;

class ArtifactCheck : public ServerTest {
 protected:
  void SetUp() override {
    options_.tick = absl::Milliseconds(20);
    Start();
  }
  fs::path Artifacts() const { return fs::path(directory_) / "artifacts"; }
  fs::path PathOf(const std::string& sha256) const {
    const std::string hex = ToHex(sha256);
    return Artifacts() / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
  }
  static void Write(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << bytes;
  }
  static void Age(const fs::path& path, std::chrono::hours by) {
    fs::last_write_time(path, fs::last_write_time(path) - by);
  }

  // All pages: the kind of each fault by hash or file name.
  std::map<std::string, v1::ArtifactFault> Check(bool repair = false) {
    std::map<std::string, v1::ArtifactFault> faults;
    v1::CheckArtifactsRequest request;
    request.set_repair(repair);
    do {
      v1::CheckArtifactsResponse response;
      grpc::ClientContext context;
      const auto status = admin_->CheckArtifacts(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok()) break;
      for (const v1::ArtifactFault& fault : response.faults()) {
        const std::string name =
            fault.sha256().empty() ? fs::path(fault.path()).filename().string() : fault.sha256();
        faults[name] = fault;
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return faults;
  }
  // A run's result, stored.
  std::string Finish(const v1::Lease& lease) {
    const std::string bytes = StrCat("result of ", lease.ref().run_id());
    EXPECT_TRUE(Upload(lease, bytes, Sha256::Of(bytes)).ok());
    EXPECT_TRUE(Complete(lease, Sha256::Of(bytes)).ok());
    return Sha256::Of(bytes);
  }
};

TEST_F(ArtifactCheck, FindsBothKindsAndWhatIsNotOfTheStore) {
  Create(3);
  const auto leases = Lease(Register("w"), 3);
  ASSERT_EQ(leases.size(), 3u);
  std::vector<std::string> results;
  for (const auto& lease : leases) results.push_back(Finish(lease));
  EXPECT_TRUE(Check().empty());

  const std::string orphan = Sha256::Of("orphan");
  Write(PathOf(orphan), "orphan");
  fs::remove(PathOf(results[0]));
  std::ofstream(PathOf(results[1]), std::ios::app) << "more";
  Write(Artifacts() / "notes.txt", "mine");
  Write(PathOf(orphan).parent_path() / "copy.h5", "mine");
  Write(Artifacts() / "tmp" / "half", "half");
  Age(Artifacts() / "tmp" / "half", std::chrono::hours(3));
  // The collector may be at the last before the look.
  auto found = Check();
  found.erase("half");
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[ToHex(orphan)].kind(), v1::ArtifactFault::KIND_FILE_WITHOUT_ROW);
  EXPECT_EQ(found[ToHex(results[0])].kind(), v1::ArtifactFault::KIND_ROW_WITHOUT_FILE);
  EXPECT_EQ(found[ToHex(results[0])].run_id(), leases[0].ref().run_id());
  EXPECT_EQ(found[ToHex(results[1])].kind(), v1::ArtifactFault::KIND_SIZE_DIFFERS);
  EXPECT_EQ(found["notes.txt"].kind(), v1::ArtifactFault::KIND_STRAY);
  EXPECT_EQ(found["copy.h5"].kind(), v1::ArtifactFault::KIND_STRAY);
  EXPECT_TRUE(fs::exists(PathOf(orphan))) << "a look changes nothing";

  found = Check(/*repair=*/true);
  EXPECT_TRUE(found[ToHex(orphan)].repaired());
  EXPECT_FALSE(found[ToHex(results[0])].repaired()) << "what is lost is lost";
  EXPECT_TRUE(Eventually([&] { return !fs::exists(PathOf(orphan)); }));
  EXPECT_TRUE(Eventually([&] { return !fs::exists(Artifacts() / "tmp" / "half"); }));
  EXPECT_TRUE(fs::exists(Artifacts() / "notes.txt"));
  EXPECT_TRUE(fs::exists(PathOf(results[2])));
  EXPECT_EQ(Check().size(), 4u);
}

TEST_F(ArtifactCheck, ARowThatNothingNamesIsLeftToTheCollector) {
  const std::string sha256 = Sha256::Of("let go");
  Write(PathOf(sha256), "let go");
  Count("with a as (insert into artifacts (sha256, size, kind) values (decode('" + ToHex(sha256) +
        "', 'hex'), 6, 'result') returning 1) select count(*) from a");
  EXPECT_EQ(Check()[ToHex(sha256)].kind(), v1::ArtifactFault::KIND_UNNAMED);
  Check(/*repair=*/true);
  EXPECT_TRUE(Eventually([&] {
    return !fs::exists(PathOf(sha256)) && Count("select count(*) from artifacts") == 0;
  }));
}

TEST_F(ArtifactCheck, ManyFaultsComeInPages) {
  // One byte of the hash has more than a page holds, and strays of its own.
  const fs::path shelf = Artifacts() / "ab" / "cd";
  fs::create_directories(shelf);
  const std::string tail(54, '0');
  for (int i = 0; i < 6000; ++i) {
    std::ofstream(shelf / StrCat("abcd", tail, absl::Hex(i, absl::kZeroPad6), ".h5")) << "x";
  }
  for (int i = 0; i < 5500; ++i) std::ofstream(shelf / StrCat("stray-", i)) << "x";
  int files = 0, strays = 0;
  for (const auto& [name, fault] : Check()) {
    files += fault.kind() == v1::ArtifactFault::KIND_FILE_WITHOUT_ROW;
    strays += fault.kind() == v1::ArtifactFault::KIND_STRAY;
  }
  EXPECT_EQ(files, 6000);
  EXPECT_EQ(strays, 1000) << "no more of one byte are told";
  v1::CheckArtifactsRequest request;
  request.set_page_token("xyz");
  v1::CheckArtifactsResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(admin_->CheckArtifacts(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ArtifactCheck, ADirectoryThatIsAwayIsNotTakenForEmpty) {
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  const std::string sha256 = Finish(leases[0]);
  fs::rename(Artifacts(), directory_ + "/away");
  fs::create_directory(Artifacts());  // as an empty mount point
  v1::CheckArtifactsRequest request;
  request.set_repair(true);
  v1::CheckArtifactsResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(admin_->CheckArtifacts(&context, request, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  fs::remove_all(Artifacts());
  fs::rename(directory_ + "/away", Artifacts());
  EXPECT_TRUE(Check().empty());
  EXPECT_TRUE(fs::exists(PathOf(sha256)));
}

// What a coordinator leaves that is killed in the middle of an upload.
TEST_F(ArtifactCheck, HalfAnUploadIsRemovedOnceItIsOld) {
  const fs::path old = Artifacts() / "tmp" / "old", young = Artifacts() / "tmp" / "young";
  Write(young, std::string(1000, 'x'));
  Write(old, std::string(1000, 'x'));
  Age(old, std::chrono::hours(2));
  coordinator_.reset();
  Start();
  EXPECT_TRUE(Eventually([&] { return !fs::exists(old); }));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(ArtifactCheck, FilesOfALeaseThatGivesUpAreRemoved) {
  options_.artifact_grace = absl::Milliseconds(200);
  coordinator_.reset();
  Start();
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  std::string last;
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = StrCat("version ", i);
    ASSERT_TRUE(Upload(leases[0], bytes, last = Sha256::Of(bytes)).ok());
  }
  const auto files = [&] {
    int n = 0;
    for (const auto& entry : fs::recursive_directory_iterator(Artifacts())) {
      n += entry.path().extension() == ".h5";
    }
    return n;
  };
  EXPECT_TRUE(Eventually([&] { return files() == 1 && fs::exists(PathOf(last)); }));
  v1::FailRunRequest fail;
  *fail.mutable_ref() = leases[0].ref();
  v1::FailRunResponse failed;
  grpc::ClientContext context;
  ASSERT_TRUE(dispatch_->FailRun(&context, fail, &failed).ok());
  EXPECT_TRUE(Eventually([&] { return files() == 0; }));
  EXPECT_TRUE(Eventually([&] { return Count("select count(*) from artifacts") == 0; }));
  EXPECT_TRUE(Check().empty());
}

}  // namespace
}  // namespace gridsweep::coordinator

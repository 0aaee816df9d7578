// A disk is full in the middle of a sweep, PostgreSQL's or that of the artifacts;
// then there is space again. Small file systems are mounted for it, as root.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "common/strings.h"
#include "tests/chaos/fleet.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

// A file system of `megabytes` at `place`, while it lives.
class SmallDisk {
 public:
  SmallDisk(const fs::path& place, int megabytes) : place_(place) {
    fs::create_directories(place_);
    mounted_ = mount("tmpfs", place_.c_str(), "tmpfs", 0,
                     StrCat("mode=0755,size=", megabytes, "m").c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(place_.c_str(), MNT_DETACH);
    std::error_code ignored;
    fs::remove_all(place_, ignored);
    fs::remove(place_.parent_path(), ignored);  // where nothing else is there any more
  }
  bool mounted() const { return mounted_; }
  // Takes all that is left; again what has become free since.
  void Fill() {
    std::ofstream ballast(place_ / "ballast", std::ios::app | std::ios::binary);
    for (const size_t piece : {size_t{1} << 20, size_t{4096}}) {
      const std::string bytes(piece, 'x');
      while (ballast.write(bytes.data(), static_cast<std::streamsize>(piece)).flush()) {
      }
      ballast.clear();
    }
  }
  void Clear() { fs::remove(place_ / "ballast"); }

 private:
  const fs::path place_;
  bool mounted_;
};

class FullDisk : public ::testing::Test {
 protected:
  void Start(const fs::path& where, int runs) {
    server_ = std::make_unique<PostgresServer>(std::vector<std::string>{}, where);
    server_->Start();
    database_ = server_->CreateDatabase();
    fleet_->Start(server_->ConnectionOf(database_), runs);
  }
  int Results() const {
    const std::string n = server_->Ask("select count(*) from run_results", database_);
    return n.empty() ? -1 : std::stoi(n);
  }

  std::unique_ptr<SmallDisk> disk_;
  std::unique_ptr<PostgresServer> server_;
  std::string database_;
  std::unique_ptr<Fleet> fleet_ = std::make_unique<Fleet>();  // ends first
};

TEST_F(FullDisk, OfPostgresIsUnavailableAndGoesOnWithSpace) {
  const fs::path place = fs::temp_directory_path() / StrCat("gridsweep-disk-", getpid());
  disk_ = std::make_unique<SmallDisk>(place, 160);
  if (!disk_->mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  Start(place, 400);
  ASSERT_TRUE(Within([&] { return Results() >= 50; }));
  disk_->Fill();
  // What is to be stored needs more than the files that are there already hold.
  const Ran refused = fleet_->Submit(1'000'000, 20'000);
  EXPECT_EQ(refused.code, 75) << refused.out << refused.err;
  disk_->Fill();

  disk_->Clear();
  // A log that could not be written stops the server; it is for others to start it.
  if (!server_->Running()) server_->Start();
  fleet_->ExpectGoodEnd(*server_, database_);
  // Nothing of the sweep that was refused is there.
  EXPECT_EQ(server_->Ask("select count(*) from sweeps", database_), "1");
  EXPECT_EQ(server_->Ask("select count(*) from runs", database_), "400");
}

TEST_F(FullDisk, OfTheArtifactsIsUnavailableAndGoesOnWithSpace) {
  disk_ = std::make_unique<SmallDisk>(fleet_->artifacts(), 60);
  if (!disk_->mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  Start(fs::temp_directory_path(), 300);
  ASSERT_TRUE(Within([&] { return Results() >= 50; }));
  // Until nothing comes in any more, for what was on its way.
  int before = -1;
  ASSERT_TRUE(Within([&] {
    disk_->Fill();
    const int now = Results();
    return std::exchange(before, now) == now && now < 300;
  }));
  EXPECT_GT(std::stoi(server_->Ask("select count(*) from leases", database_)), 0);
  disk_->Clear();
  fleet_->ExpectGoodEnd(*server_, database_);
}

}  // namespace
}  // namespace gridsweep::testing

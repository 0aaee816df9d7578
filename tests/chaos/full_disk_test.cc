// A disk is full in the middle of a sweep, PostgreSQL's or that of the artifacts;
// then there is space again. Small file systems are mounted for it, as root.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "tests/chaos/fleet.h"
#include "tests/support/small_disk.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

class FullDisk : public ::testing::Test {
 protected:
  void Start(const fs::path& database, const fs::path& artifacts, int runs) {
    server_ = std::make_unique<PostgresServer>(std::vector<std::string>{}, database);
    fleet_ = std::make_unique<Fleet>(artifacts);
    server_->Start();
    database_ = server_->CreateDatabase();
    fleet_->Start(server_->ConnectionOf(database_), runs);
  }
  int Results() const {
    const std::string n = server_->Ask("select count(*) from run_results", database_);
    return n.empty() ? -1 : std::stoi(n);
  }

  std::optional<SmallDisk> disk_;
  std::unique_ptr<PostgresServer> server_;
  std::string database_;
  std::unique_ptr<Fleet> fleet_;  // ends first
};

TEST_F(FullDisk, OfPostgresIsUnavailableAndGoesOnWithSpace) {
  disk_.emplace("size=160m");
  if (!disk_->mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  Start(disk_->path(), {}, 400);
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
  disk_.emplace("size=60m");
  if (!disk_->mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  Start(fs::temp_directory_path(), disk_->path(), 300);
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

#include "worker/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "tests/support/temporary_directory.h"

namespace gridsweep::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SpoolTest : public ::testing::Test {
 protected:
  Spool Open(uint64_t limit = 1 << 20) const {
    auto spool = Spool::Open(directory_ / "worker", limit);
    EXPECT_TRUE(spool.ok()) << spool.status();
    return *std::move(spool);
  }
  static FinishedRun Run(int64_t run_id, size_t artifact_bytes = 1000) {
    FinishedRun run;
    run.header.mutable_ref()->set_run_id(run_id);
    run.header.mutable_ref()->set_attempt(2);
    run.header.mutable_ref()->set_token("0123456789abcdef");
    run.header.set_unit_count(2);
    (*run.header.mutable_run_metrics())["loss"] = 0.1;
    run.units = {{"grid_score_60", {0.1, std::numeric_limits<double>::quiet_NaN()}},
                 {"mean_rate", {-0.0, 1e-310}}};
    for (size_t i = 0; i < artifact_bytes; ++i) run.artifact += static_cast<char>(i * 37 >> 2);
    return run;
  }

  const gridsweep::testing::TemporaryDirectory directory_;
};

TEST_F(SpoolTest, GivesBackWhatItWasGivenBitByBit) {
  const FinishedRun run = Run(7);
  ASSERT_TRUE(Open().Write(run).ok());
  const Spool reopened = Open();  // as another process would
  ASSERT_EQ(reopened.List().size(), 1U);
  const auto either = Spool::Read(reopened.List()[0]);
  ASSERT_TRUE(either.ok()) << either.status();
  const auto* read = std::get_if<FinishedRun>(&*either);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->header.SerializeAsString(), run.header.SerializeAsString());
  EXPECT_EQ(read->artifact, run.artifact);
  ASSERT_EQ(read->units.size(), 2U);
  EXPECT_EQ(read->units[0].metric, "grid_score_60");
  EXPECT_EQ(read->units[0].values[0], 0.1);
  EXPECT_TRUE(std::isnan(read->units[0].values[1]));
  EXPECT_TRUE(std::signbit(read->units[1].values[0]));
  EXPECT_EQ(read->units[1].values[1], 1e-310);
  Spool::Remove(reopened.List()[0]);
  EXPECT_THAT(reopened.List(), IsEmpty());
}

TEST_F(SpoolTest, KeepsACheckpointBesideItsLease) {
  LeftRun run;
  run.ref = Run(7).ref();
  run.checkpoint.set_step(41);
  run.bytes = std::string("\0checkpoint", 11);
  ASSERT_TRUE(Open().Write(run).ok());
  const Spool reopened = Open();
  ASSERT_EQ(reopened.List().size(), 1U);
  const auto either = Spool::Read(reopened.List()[0]);
  ASSERT_TRUE(either.ok()) << either.status();
  const auto* read = std::get_if<LeftRun>(&*either);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->ref.SerializeAsString(), run.ref.SerializeAsString());
  EXPECT_EQ(read->checkpoint.step(), 41U);
  EXPECT_EQ(read->bytes, run.bytes);
}

TEST_F(SpoolTest, TellsALeaseFromTheBeginningOfAFile) {
  LeftRun left;
  left.ref = Run(8).ref();
  left.bytes = std::string(1000, 'c');
  Spool spool = Open();
  const fs::path result = spool.Write(Run(7)).value(), checkpoint = spool.Write(left).value();
  for (const auto& [file, run_id] : {std::pair(result, 7), std::pair(checkpoint, 8)}) {
    ASSERT_TRUE(Spool::LeaseOf(file).has_value());
    EXPECT_EQ(Spool::LeaseOf(file)->run_id(), run_id);
    EXPECT_EQ(Spool::LeaseOf(file)->token(), "0123456789abcdef");
    // What comes after may be damaged, and is read when it is handed in.
    fs::resize_file(file, fs::file_size(file) - 100);
    EXPECT_TRUE(Spool::LeaseOf(file).has_value());
    fs::resize_file(file, 60);
    EXPECT_FALSE(Spool::LeaseOf(file).has_value());
  }
  EXPECT_FALSE(Spool::LeaseOf(directory_ / "absent.result").has_value());
}

TEST_F(SpoolTest, SeesEveryDamagedByteAndEveryMissingOne) {
  Spool spool = Open();
  const auto file = spool.Write(Run(7, 10));
  ASSERT_TRUE(file.ok());
  std::string bytes;
  {
    std::ifstream in(*file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto status_with = [&](const std::string& content) {
    std::ofstream(*file, std::ios::binary) << content;
    return Spool::Read(*file).status();
  };
  ASSERT_TRUE(status_with(bytes).ok());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_TRUE(absl::IsDataLoss(status_with(damaged))) << "byte " << i;
    EXPECT_TRUE(absl::IsDataLoss(status_with(bytes.substr(0, i)))) << "cut at " << i;
  }
  EXPECT_TRUE(absl::IsDataLoss(status_with(bytes + "x")));
}

TEST_F(SpoolTest, SetsAsideWithoutListingAgain) {
  Spool spool = Open();
  const auto file = spool.Write(Run(7));
  ASSERT_TRUE(file.ok());
  const fs::path aside = Spool::SetAside(*file);
  EXPECT_TRUE(fs::exists(aside));
  EXPECT_THAT(spool.List(), IsEmpty());
  EXPECT_THAT(Open().List(), IsEmpty());
  EXPECT_TRUE(fs::exists(aside));
}

TEST_F(SpoolTest, RefusesWhatExceedsItsLimitAndSaysSo) {
  Spool spool = Open(5000);
  ASSERT_TRUE(spool.Write(Run(1, 3000)).ok());
  const absl::Status full = spool.Write(Run(2, 3000)).status();
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_THAT(full.ToString(), HasSubstr("--spool-limit 5 kB"));
  EXPECT_EQ(spool.List().size(), 1U);
  EXPECT_TRUE(spool.Write(Run(3, 100)).ok());
}

TEST_F(SpoolTest, ForgetsWhatADeathLeftHalfWritten) {
  Open();
  std::ofstream(directory_ / "worker" / "run-7-attempt-1-30313233.partial") << "gridsweep-sp";
  EXPECT_THAT(Open().List(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(directory_ / "worker"));
}

TEST_F(SpoolTest, CannotBeWhereAFileIs) {
  std::ofstream(directory_ / "file") << "x";
  const absl::Status status = Spool::Open(directory_ / "file" / "worker", 1000).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.ToString(), HasSubstr((directory_ / "file").string()));
}

TEST(SpoolDirectoryTest, IsAFolderOfItsOwnForEachName) {
  EXPECT_EQ(*SpoolDirectory("/spool", "node-7.a"), fs::path("/spool/node-7.a"));
  EXPECT_EQ(*SpoolDirectory("/spool", "../a/b"), fs::path("/spool/%2e.%2fa%2fb"));
  setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(*SpoolDirectory("", "w"), fs::path("/state/gridsweep/spool/w"));
  unsetenv("XDG_STATE_HOME");
  setenv("HOME", "/home/of", 1);
  EXPECT_EQ(*SpoolDirectory("", "w"), fs::path("/home/of/.local/state/gridsweep/spool/w"));
  unsetenv("HOME");
  EXPECT_TRUE(absl::IsFailedPrecondition(SpoolDirectory("", "w").status()));
}

}  // namespace
}  // namespace gridsweep::worker

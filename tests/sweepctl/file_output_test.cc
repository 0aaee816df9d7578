// Where results go: files, links, pipes, and a disk that is full.
#include "sweepctl/file_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;
using gridsweep::testing::Binary;
using gridsweep::testing::ReadFile;
using ::testing::HasSubstr;

class FileOutput : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  size_t Files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()));
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(FileOutput, ReplacesAFileAndKeepsItsPermissions) {
  const std::string path = Path("old.png");
  std::ofstream(path) << "old";
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  ASSERT_TRUE(WriteFileWhole(path, "new").ok());
  EXPECT_EQ(ReadFile(path), "new");
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  ASSERT_TRUE(WriteFileWhole(Path("fresh.png"), "new").ok());
  EXPECT_EQ(Files(), 2u);
}

TEST_F(FileOutput, WritesThroughALink) {
  std::ofstream(Path("target")) << "old";
  fs::create_symlink(Path("target"), Path("link"));
  ASSERT_TRUE(WriteFileWhole(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("target")), "new");
}

TEST_F(FileOutput, WritesThroughAPipe) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = ReadFile(Path("pipe")); });
  const absl::Status written = WriteFileWhole(Path("pipe"), std::string(200'000, 'x'));
  // A pipe that was replaced has no writer: without this the reader would wait for ever.
  if (!fs::is_fifo(Path("pipe"))) reader.detach();
  ASSERT_TRUE(fs::is_fifo(Path("pipe")));
  reader.join();
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(read.size(), 200'000u);
}

TEST_F(FileOutput, ADeviceStaysOneAndSaysWhatItCannotTake) {
  // By a link, which a fault would replace in its stead.
  fs::create_symlink("/dev/full", Path("full"));
  const absl::Status written = WriteFileWhole(Path("full"), "new");
  EXPECT_THAT(std::string(written.message()), HasSubstr("No space left on device"));
  EXPECT_TRUE(fs::is_character_file(Path("full")));
}

TEST_F(FileOutput, AFailureLeavesTheOldFileAlone) {
  std::ofstream(Path("old.png")) << "old";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit least{1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &least), 0);
  const absl::Status written = WriteFileWhole(Path("old.png"), std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(std::string(written.message()), HasSubstr("File too large"));
  EXPECT_EQ(ReadFile(Path("old.png")), "old");
  EXPECT_EQ(Files(), 1u);
}

// Standard output on a full disk, of what needs no server.
class FullDisk : public ::testing::TestWithParam<const char*> {};

TEST_P(FullDisk, IsSaidAndFails) {
  const auto ran =
      testing::Run({"/bin/sh", "-c", Binary("sweepctl") + " " + GetParam() + " > /dev/full"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err,
              HasSubstr("sweepctl: cannot write to standard output: No space left on device"));
}

INSTANTIATE_TEST_SUITE_P(Commands, FullDisk,
                         ::testing::Values("version", "--version", "--help", "completion bash",
                                           "help filter", "config view -o json",
                                           "validate " GRIDSWEEP_SOURCE_DIR
                                           "/sweeps/quickstart.yaml -o json"));

TEST(FullDiskToo, AFailureKeepsItsOwnExitCode) {
  const auto ran =
      testing::Run({"/bin/sh", "-c",
                    Binary("sweepctl") + " validate -o csv /nonexistent.yaml " GRIDSWEEP_SOURCE_DIR
                                         "/sweeps/quickstart.yaml > /dev/full"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(testing::Run({"/bin/sh", "-c", Binary("sweepctl") + " version > /dev/null"}).code, 0);
  EXPECT_EQ(testing::Run({"/bin/sh", "-c", Binary("sweepctl") + " --bogus >&-"}).code, 2)
      << "nothing to write is no failure to write";
}

}  // namespace
}  // namespace gridsweep::sweepctl

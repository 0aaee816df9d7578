// What the tests stand on: it removes all that it made, and nothing else.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/postgres.h"
#include "tests/support/postgres_server.h"
#include "tests/support/program.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kInOwnDirectory[] = GRIDSWEEP_SOURCE_DIR "/tests/support/in_own_directory";

// Runs `words` with `directory` as $TMPDIR.
Ran RunIn(const fs::path& directory, std::vector<std::string> words) {
  words.insert(words.begin(), {"/usr/bin/env", "TMPDIR=" + directory.string()});
  return Run(words);
}

TEST(TemporaryDirectory, IsRemovedWithWhatIsInItAndNothingElse) {
  const TemporaryDirectory outer;
  fs::path path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    EXPECT_TRUE(fs::is_directory(path));
    fs::create_directories(directory / "a/b");
    std::ofstream(directory / "a/b/c") << "x";
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::is_directory(path.parent_path()));
  EXPECT_TRUE(fs::is_empty(outer.path()));
}

TEST(InOwnDirectory, ExitsAsTheTestAndLeavesNothing) {
  const TemporaryDirectory empty;
  for (const auto& [script, code] : std::vector<std::pair<std::string, int>>{
           {"test -d \"$TMPDIR\"", 0},
           {"mkdir -p \"$TMPDIR/a/b\"; touch \"$TMPDIR/a/b/c\"; exit 3", 3},
           {"touch \"$TMPDIR/a\"; kill -SEGV $$", 128 + SIGSEGV},
           {"touch \"$TMPDIR/a\"; kill -KILL $$", 128 + SIGKILL},
           // As a test that removes its own, and then what it believes to be its own.
           {"rmdir \"$TMPDIR\"", 0},
       }) {
    const Ran ran = RunIn(empty.path(), {kInOwnDirectory, "/bin/sh", "-c", script});
    EXPECT_EQ(ran.code, code) << script << ran.err;
    ASSERT_TRUE(fs::is_directory(empty.path())) << script;
    EXPECT_TRUE(fs::is_empty(empty.path())) << script;
  }
}

TEST(InOwnDirectory, SaysThatThereIsNoTmpdir) {
  const TemporaryDirectory empty;
  const Ran ran = RunIn(empty / "absent", {kInOwnDirectory, "/bin/true"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find((empty / "absent").string()), std::string::npos) << ran.err;
}

// One of each thing that the tests stand on, for the test after them.
TEST(OneOfEach, APostgresServer) {
  PostgresServer server;
  server.Start();
  EXPECT_EQ(server.Ask("select 1"), "1");
}
TEST(OneOfEach, ThePostgresServerOfTheProcess) { EXPECT_NE(CreateDatabase(), ""); }
TEST(OneOfEach, AProgram) { EXPECT_EQ(testing::Run({"/bin/sh", "-c", "exit 3"}).code, 3); }
TEST(OneOfEach, ASmallDisk) {
  SmallDisk disk("size=1m");
  if (!disk.mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  disk.Fill();
  EXPECT_EQ(fs::space(disk.path()).available, 0u);
  disk.Clear();
  EXPECT_GT(fs::space(disk.path()).available, 0u);
}
TEST(OneOfEach, ASmallDiskThatIsNotUnmounted) {
  static auto* const disk = new SmallDisk("size=1m");
  if (!disk->mounted()) GTEST_SKIP() << "NOT TESTED: this process may not mount a file system";
  disk->Fill();
}

TEST(EmptyTmpdir, IsThereAfterwardsAndEmpty) {
  const TemporaryDirectory empty;
  const std::string self = Binary("support_test"), filter = "--gtest_filter=OneOfEach.*";
  const std::string tidy = filter + "-*NotUnmounted";
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{self, tidy}, {kInOwnDirectory, self, filter}}) {
    const Ran ran = RunIn(empty.path(), words);
    EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
    ASSERT_TRUE(fs::is_directory(empty.path()));
    EXPECT_TRUE(fs::is_empty(empty.path()));
  }
}

// A session that ends just then is killed no more, and that is no fault.
TEST(PostgresServer, IsCrashedWhileSessionsComeAndGo) {
  PostgresServer server;
  server.Start();
  std::atomic<bool> done = false;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 3; ++i) {
    visitors.emplace_back([&] {
      while (!done) server.Ask("select 1");
    });
  }
  for (int i = 0; i < 5; ++i) {
    server.Crash();
    EXPECT_TRUE(Within([&] { return !server.Running(); }));
    server.Start();
  }
  done = true;
  for (std::thread& visitor : visitors) visitor.join();
  EXPECT_EQ(server.Ask("select 1"), "1");
}

}  // namespace
}  // namespace gridsweep::testing

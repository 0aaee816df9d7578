// gridsweep-hdf5-reader as programs use it.
#include "hdf5/reader.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "common/strings.h"
#include "hdf5/image.h"
#include "tests/support/hostile_hdf5.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "worker/hdf5_file.h"

namespace gridsweep::hdf5 {
namespace {

namespace fs = std::filesystem;

// Processes that `pid` has forked and that have not ended.
std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::ifstream list(StrCat("/proc/", pid, "/task/", pid, "/children"));
  std::vector<pid_t> children;
  for (pid_t child; list >> child;) children.push_back(child);
  return children;
}

class ReaderTest : public ::testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
    return directory_ / name;
  }
  // That the reader answers as ever.
  void ExpectWell() {
    const auto file = reader_->OpenBytes(testing::HarmlessFile(), Holding::kOurs);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(*file->Read<float>("/ratemaps/n44"), std::vector<float>(2 * 44 * 44, 1.0F));
  }

  std::unique_ptr<Reader> reader_ = *Reader::Start();
  const testing::TemporaryDirectory directory_;
};

// Numbers of all kinds that we write, some that no other kind has.
std::string FileOfOurs() {
  worker::Hdf5Writer file;
  file.Text("config", "{\"seed\":1}");
  file.Text("empty", "");
  file.Number("seed", std::numeric_limits<int64_t>::min());
  file.Number("steps", std::numeric_limits<uint64_t>::max());
  file.Group("/metrics", {{"loss", -0.0}, {"none", std::nan("")}});
  std::vector<double> doubles;
  std::vector<float> floats;
  for (int i = 0; i < 5000; ++i) {
    doubles.push_back(i % 7 == 0 ? std::nan("") : std::ldexp(1.0 / 3, i % 200 - 100));
    floats.push_back(static_cast<float>(doubles.back()));
  }
  file.Group("/a");
  file.Dataset("/a/doubles", doubles, {5000}, "1");
  file.Dataset("/a/maps", floats, {50, 10, 10}, "1");
  file.Plain("/a/plain", floats, {5000}, "1");
  file.Dataset("/a/steps", std::vector<uint64_t>{0, UINT64_MAX, uint64_t{1} << 53 | 1}, {3}, "1");
  file.Dataset("/a/visits", std::vector<int64_t>{-1, 0, INT64_MAX}, {3}, "1");
  return file.Bytes();
}

template <class T>
void ExpectSame(const File& ours, const File& its, const std::string& path) {
  const auto a = ours.Read<T>(path), b = its.Read<T>(path);
  ASSERT_TRUE(a.ok() && b.ok()) << path << ": " << a.status() << " " << b.status();
  ASSERT_EQ(a->size(), b->size()) << path;
  EXPECT_EQ(std::memcmp(a->data(), b->data(), a->size() * sizeof(T)), 0) << path;
}

TEST_F(ReaderTest, GivesEachBitThatTheLibraryGivesHere) {
  const std::string bytes = FileOfOurs();
  const auto here = OpenImage(bytes);
  const auto there = reader_->Open(Write("ours.h5", bytes), Holding::kOurs);
  ASSERT_TRUE(here.ok() && there.ok()) << here.status() << " " << there.status();
  EXPECT_EQ(Encode(here->objects()), Encode(there->objects()));
  EXPECT_EQ(*there->Text("/", "config"), "{\"seed\":1}");
  EXPECT_EQ(*there->Text("/", "empty"), "");
  EXPECT_EQ(*there->Whole("/", "steps"), UINT64_MAX);
  EXPECT_TRUE(std::signbit(*there->Number("/metrics", "loss")));
  EXPECT_TRUE(std::isnan(*there->Number("/metrics", "none")));
  for (const char* path : {"/a/doubles", "/a/maps", "/a/plain", "/a/steps", "/a/visits"}) {
    ExpectSame<double>(*here, *there, path);
    ExpectSame<float>(*here, *there, path);
    ExpectSame<uint64_t>(*here, *there, path);
  }
  const auto some = here->ReadRows<float>("/a/maps", 17, 3);
  const auto same = there->ReadRows<float>("/a/maps", 17, 3);
  ASSERT_EQ(some->size(), 300u);
  ASSERT_EQ(same->size(), 300u);
  EXPECT_EQ(std::memcmp(some->data(), same->data(), 300 * sizeof(float)), 0);
}

TEST_F(ReaderTest, GivesADatasetThatIsLargerThanItsBuffers) {
  std::vector<float> many(3 << 20);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  worker::Hdf5Writer file;
  file.Plain("/plain", many, {many.size()}, "1");
  file.Dataset("/packed", many, {1 << 10, 3 << 10}, "1");
  const auto read = reader_->OpenBytes(file.Bytes(), Holding::kOurs);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read->Read<float>("/plain"), many);
  EXPECT_EQ(*read->Read<float>("/packed"), many);
}

TEST_F(ReaderTest, RefusesWhatPointsElsewhereOrIsNotAsOurs) {
  const fs::path secret = Write("secret", std::string(64 << 10, 's'));
  for (const auto& hostile : testing::HostileFiles(secret)) {
    const auto file = reader_->Open(Write("hostile.h5", hostile.bytes), Holding::kOurs);
    EXPECT_TRUE(absl::IsDataLoss(file.status())) << hostile.name << ": " << file.status();
    EXPECT_NE(file.status().message().find(hostile.why), absl::string_view::npos)
        << hostile.name << ": " << file.status();
  }
  ExpectWell();
}

TEST_F(ReaderTest, OfAUsersFileReadsAllThatPointsNowhere) {
  const fs::path secret = Write("secret", std::string(64 << 10, 's'));
  for (size_t i = 0; i < testing::kPointingElsewhere; ++i) {
    const auto hostile = testing::HostileFiles(secret)[i];
    const auto file = reader_->OpenBytes(hostile.bytes, Holding::kAnything);
    ASSERT_TRUE(file.ok()) << hostile.name << ": " << file.status();
    EXPECT_FALSE(file->Read<float>("/ratemaps/n44").ok()) << hostile.name;
    EXPECT_EQ(*file->Text("/", "config"), "{}");
  }
}

TEST_F(ReaderTest, IsNotHeldUpByAPipe) {
  const fs::path pipe = directory_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const absl::Time start = absl::Now();
  EXPECT_TRUE(absl::IsDataLoss(reader_->Open(pipe, Holding::kOurs).status()));
  const auto file = reader_->OpenBytes(testing::ExternalFile(pipe), Holding::kAnything);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(file->Read<float>("/ratemaps/n44").ok());
  ExpectWell();
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST_F(ReaderTest, SaysWhatIsNotThere) {
  EXPECT_TRUE(absl::IsNotFound(reader_->Open(directory_ / "none.h5", Holding::kOurs).status()));
  EXPECT_TRUE(absl::IsDataLoss(reader_->Open(directory_.path(), Holding::kOurs).status()));
}

TEST_F(ReaderTest, IsStartedAgainWhereItWasLost) {
  const pid_t before = reader_->pid();
  kill(before, SIGKILL);
  ExpectWell();
  EXPECT_NE(reader_->pid(), before);
}

// A file that is cut while it is read ends its process with SIGBUS, as a flaw of the library would
// with SIGSEGV.
TEST_F(ReaderTest, LosesOneAnswerToAFileThatEndsItsProcess) {
  worker::Hdf5Writer writer;
  writer.Plain("/plain", std::vector<float>(1 << 20), {1 << 20}, "1");
  const fs::path path = Write("cut.h5", writer.Bytes());
  const auto other = reader_->OpenBytes(FileOfOurs(), Holding::kOurs);
  const auto file = reader_->Open(path, Holding::kOurs);
  ASSERT_TRUE(file.ok()) << file.status();
  fs::resize_file(path, 0);
  const auto values = file->Read<float>("/plain");
  EXPECT_TRUE(absl::IsDataLoss(values.status())) << values.status();
  EXPECT_NE(values.status().message().find("signal 7"), absl::string_view::npos)
      << values.status();
  EXPECT_FALSE(file->Read<float>("/plain").ok());
  EXPECT_TRUE(other->Read<double>("/a/doubles").ok());  // of another file, open meanwhile
  const pid_t before = reader_->pid();
  ExpectWell();
  EXPECT_EQ(reader_->pid(), before);
}

TEST_F(ReaderTest, KillsWhoDoesNotAnswerInTime) {
  reader_ = *Reader::Start({.patience = absl::Milliseconds(300)});
  {
    const auto file = reader_->OpenBytes(FileOfOurs(), Holding::kOurs);
    const auto children = ChildrenOf(reader_->pid());
    ASSERT_EQ(children.size(), 1u);
    kill(children[0], SIGSTOP);
    const auto values = file->Read<double>("/a/doubles");
    EXPECT_TRUE(absl::IsUnavailable(values.status())) << values.status();
  }
  EXPECT_TRUE(testing::Within([&] { return ChildrenOf(reader_->pid()).empty(); }));
  reader_ = *Reader::Start();
  ExpectWell();
}

TEST_F(ReaderTest, LeavesNoProcessBehind) {
  for (int i = 0; i < 20; ++i) ExpectWell();
  EXPECT_TRUE(testing::Within([&] { return ChildrenOf(reader_->pid()).empty(); }));
  const pid_t pid = reader_->pid();
  reader_.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(ReaderTest, KeepsAnOpenFileWhenItIsStopped) {
  auto file = reader_->OpenBytes(FileOfOurs(), Holding::kOurs);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->Read<double>("/a/doubles").ok());
  reader_.reset();
  EXPECT_TRUE(file->Read<double>("/a/doubles").ok());
}

TEST_F(ReaderTest, GivesAFileThatInflatesNoMoreMemoryThanItMayHave) {
#ifdef GRIDSWEEP_SANITIZED
  GTEST_SKIP() << "memory is not limited under sanitizers";
#endif
  const auto file =
      reader_->OpenBytes(testing::InflatingFile(size_t{1500} << 20), Holding::kOurs);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto values = file->Read<float>("/ratemaps/n44");
  EXPECT_TRUE(absl::IsDataLoss(values.status())) << values.status();
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 700 << 10);  // kB, of this process
  ExpectWell();
}

TEST_F(ReaderTest, ServesManyThreads) {
  const std::string bytes = FileOfOurs();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto file = reader_->OpenBytes(bytes, Holding::kOurs);
        good += file.ok() && file->Read<double>("/a/doubles").ok();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

TEST(Reader, SaysWhatToDoWhereItsProgramIsMissing) {
  const auto reader = Reader::Start({.program = "/nowhere/gridsweep-hdf5-reader"});
  EXPECT_TRUE(absl::IsFailedPrecondition(reader.status()));
  EXPECT_NE(reader.status().message().find("belongs beside"), absl::string_view::npos)
      << reader.status();
}

// What its processes inherit of ours: no environment, no descriptor but its socket and /dev/null.
TEST(Reader, HasNothingOfOurs) {
  setenv("PGPASSWORD", "secret", 1);
  const auto reader = *Reader::Start();
  EXPECT_EQ(testing::ReadFile(StrCat("/proc/", reader->pid(), "/environ")), "");
  for (const auto& entry : fs::directory_iterator(StrCat("/proc/", reader->pid(), "/fd"))) {
    const std::string target = fs::read_symlink(entry.path());
    EXPECT_TRUE(target == "/dev/null" || target.rfind("socket:", 0) == 0) << target;
  }
  const auto file = reader->OpenBytes(testing::HarmlessFile(), Holding::kOurs);
  const auto children = ChildrenOf(reader->pid());
  ASSERT_EQ(children.size(), 1u);
  int descriptors = 0;
  for (const auto& entry : fs::directory_iterator(StrCat("/proc/", children[0], "/fd"))) {
    const std::string target = fs::read_symlink(entry.path());
    EXPECT_TRUE(target == "/dev/null" || target.rfind("socket:", 0) == 0) << target;
    ++descriptors;
  }
  EXPECT_EQ(descriptors, 4);
  const std::string status = testing::ReadFile(StrCat("/proc/", children[0], "/status"));
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos);
#ifndef GRIDSWEEP_SANITIZED
  EXPECT_NE(status.find("Seccomp:\t2"), std::string::npos);
#endif
}

}  // namespace
}  // namespace gridsweep::hdf5

// Where tests put what they make: in a directory of the test's own, which ctest's entry makes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

const std::set<std::string> kMakers = {"tests/support/temporary_directory.h",
                                       "tests/support/in_own_directory",
                                       "tests/support/postgres_server.cc",
                                       "tests/house/temporary_files_test.cc"};

bool MakesATemporaryFile(const std::string& line) {
  static const std::regex maker(R"("/tmp|mkdtemp|mkstemp|tmpnam|tmpfile\(|::TempDir\(\))");
  return std::regex_search(line, maker);
}

bool AddsATestByItself(const std::string& line) {
  static const std::regex adder(R"(^\s*(add_test|gtest_discover_tests|gtest_add_tests)\s*\()");
  return std::regex_search(line, adder);
}

template <typename Visit>
void VisitLines(const char* folder, Visit visit) {
  const fs::path root = GRIDSWEEP_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string file = fs::relative(entry.path(), root);
    if (!entry.is_regular_file() || file.rfind("tests/fuzz/corpus/", 0) == 0) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) visit(file, line);
  }
}

TEST(TemporaryFiles, OfTestsAreMadeByTemporaryDirectory) {
  int lines = 0;
  VisitLines("tests", [&](const std::string& file, const std::string& line) {
    ++lines;
    if (kMakers.count(file) == 0 && MakesATemporaryFile(line)) {
      ADD_FAILURE() << file << ": " << line
                    << "\nuse tests/support/temporary_directory.h, so that it goes with the test";
    }
  });
  EXPECT_GT(lines, 1000) << "the sources were not found";
}

TEST(TemporaryFiles, OfEachTestLieInADirectoryOfItsOwn) {
  for (const char* folder : {"tests", "bench", "common", "coordinator", "science", "worker"}) {
    VisitLines(folder, [&](const std::string& file, const std::string& line) {
      if (AddsATestByItself(line) && file.find("CMakeLists.txt") != std::string::npos) {
        ADD_FAILURE() << file << ": " << line << "\nuse gridsweep_test or gridsweep_add_test";
      }
    });
  }
}

TEST(TemporaryFiles, PlantedFaultsAreFound) {
  EXPECT_TRUE(MakesATemporaryFile("  char name[] = \"/tmp/gridsweep-x-XXXXXX\";"));
  EXPECT_TRUE(MakesATemporaryFile("  path_(fs::path(::testing::TempDir()) / \"x\")"));
  EXPECT_FALSE(MakesATemporaryFile("  const TemporaryDirectory directory_;"));
  EXPECT_TRUE(AddsATestByItself("  add_test(NAME x COMMAND x)"));
  EXPECT_FALSE(AddsATestByItself("  gridsweep_add_test(x x)"));
}

}  // namespace

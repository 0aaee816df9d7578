// The recipes of the poster's panels, sweeps/p01 to p12.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

TEST(Recipes, OfEveryPanelExpandToTheirRuns) {
  const std::map<std::string, size_t> runs = {
      {"p01/paper", 1032},
      {"p01/small", 28},
      {"p02/paper", 1920},
      {"p02/small", 16},
      {"p03/paper", 35},
      {"p03/small", 9},
      {"p04/paper", 156},
      {"p04/small", 12},
      {"p05/paper", 12},
      {"p05/small", 6},
      {"p06/paper", 69},
      {"p06/small", 10},
      {"p07/paper", 72},
      {"p07/small", 12},
      {"p08/paper", 726},
      {"p08/small", 9},
      {"p09/paper", 8},
      {"p09/small", 2},
      {"p10/paper", 42},
      {"p10/small", 8},
      {"p11/paper", 200},
      {"p11/small", 20},
      {"p12/paper", 40},
      {"p12/small", 6},
      {"p07/published-dropout-paper", 48},
      {"p07/published-dropout-small", 8},
  };
  size_t files = 0;
  const std::filesystem::path folder(GRIDSWEEP_SOURCE_DIR "/sweeps");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    files += entry.path().extension() == ".yaml" && entry.path().parent_path() != folder;
  }
  EXPECT_EQ(files, runs.size());
  for (const auto& [name, count] : runs) {
    const ExpandResult result = Expanded(ReadFile("sweeps/" + name + ".yaml"));
    EXPECT_THAT(Errors(result), ::testing::IsEmpty()) << name;
    ASSERT_TRUE(result.sweep) << name;
    EXPECT_EQ(result.sweep->runs.size(), count) << name;
    EXPECT_EQ(result.sweep->collapsed, 0u) << name;
    std::string flat = name;
    std::replace(flat.begin(), flat.end(), '/', '-');
    EXPECT_EQ(result.sweep->name, flat);
  }
}

}  // namespace
}  // namespace gridsweep::sweepspec

#include "tests/end_to_end/result_scores.h"

#include <gtest/gtest.h>

#include "hdf5/image.h"
#include "tests/support/program.h"

namespace gridsweep::testing {

ResultScores ReadResultScores(const std::filesystem::path& path) {
  ResultScores scores;
  const auto file = hdf5::OpenImage(ReadFile(path));
  EXPECT_TRUE(file.ok()) << path << ": " << file.status();
  if (!file.ok()) return scores;
  const auto readout = file->Text("/", "readout");
  EXPECT_TRUE(readout.ok()) << path << ": " << readout.status();
  if (readout.ok()) scores.readout = *readout;
  const auto values = file->Read<double>("/scores/grid_score_60");
  EXPECT_TRUE(values.ok()) << path << ": " << values.status();
  if (values.ok()) scores.grid_score_60 = *values;
  return scores;
}

}  // namespace gridsweep::testing

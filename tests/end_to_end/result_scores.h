// What a result file says for itself, read with nothing but the HDF5 library.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gridsweep::testing {

struct ResultScores {
  std::string readout;
  std::vector<double> grid_score_60;  // one a unit; NaN = no score
};

// A file that is not what it should be fails the test.
ResultScores ReadResultScores(const std::filesystem::path& file);

}  // namespace gridsweep::testing

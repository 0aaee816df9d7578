#include "tests/end_to_end/result_scores.h"

#include <gtest/gtest.h>
#include <hdf5.h>

namespace gridsweep::testing {

ResultScores ReadResultScores(const std::filesystem::path& path) {
  ResultScores scores;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  EXPECT_GE(file, 0) << path;
  if (file < 0) return scores;

  const hid_t attribute = H5Aopen(file, "readout", H5P_DEFAULT);
  const hid_t text = H5Aget_type(attribute);
  char* readout = nullptr;
  EXPECT_GE(H5Aread(attribute, text, &readout), 0) << path;
  if (readout != nullptr) scores.readout = readout;
  H5free_memory(readout);
  H5Tclose(text);
  H5Aclose(attribute);

  const hid_t dataset = H5Dopen2(file, "scores/grid_score_60", H5P_DEFAULT);
  const hid_t space = H5Dget_space(dataset);
  EXPECT_EQ(H5Sget_simple_extent_ndims(space), 1) << path;
  scores.grid_score_60.resize(static_cast<size_t>(H5Sget_simple_extent_npoints(space)));
  EXPECT_GE(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                    scores.grid_score_60.data()),
            0)
      << path;
  H5Sclose(space);
  H5Dclose(dataset);
  H5Fclose(file);
  return scores;
}

}  // namespace gridsweep::testing

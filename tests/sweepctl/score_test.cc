#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>
#include <vector>

#include "nlohmann/json.hpp"
#include "sweepctl/exit_code.h"
#include "tests/sweepctl/map_file.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::HasSubstr;

// A hexagonal pattern of the given period: three plane waves 60 degrees apart.
template <typename T>
std::vector<T> Hexagonal(int n, double period, double scale) {
  std::vector<T> map;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0;
      for (int k = 0; k < 3; ++k) {
        const double angle = std::numbers::pi / 3 * k;
        const double along = (i - n / 2) * std::cos(angle) + (j - n / 2) * std::sin(angle);
        // Waves of this length give peaks `period` apart.
        sum += std::cos(2 * std::numbers::pi * along / (period * std::sqrt(3.0) / 2));
      }
      map.push_back(static_cast<T>(scale * std::max(0.0, sum)));
    }
  }
  return map;
}

using ScoreTest = MapFile;

TEST_F(ScoreTest, ScoresEveryStackOfSquareMapsOfAnyTypeAndDepth) {
  auto maps = Hexagonal<double>(20, 8, 1);
  maps.resize(2 * 400, 0.0);  // the second unit is silent
  Write("doubles", H5T_NATIVE_DOUBLE, {2, 20, 20}, maps.data());
  Group("a");
  Group("a/b");
  const auto whole = Hexagonal<int16_t>(20, 8, 1000);
  Write("a/b/integers", H5T_NATIVE_INT16, {1, 20, 20}, whole.data());
  Write("occupancy", H5T_NATIVE_DOUBLE, {20, 20}, maps.data());
  Write("curve", H5T_NATIVE_DOUBLE, {1, 10, 20}, maps.data());
  Close();
  const Ran ran = RunCaptured({"score", path_, "-o", "json"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  const auto rows = nlohmann::json::parse(ran.out);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["dataset"], "a/b/integers");
  EXPECT_GT(rows[0]["grid_score_60"], 0.8);
  EXPECT_EQ(rows[1]["dataset"], "doubles");
  EXPECT_GT(rows[1]["grid_score_60"], 0.8);
  EXPECT_NEAR(rows[1]["period_bins"].get<double>(), 8, 0.5);
  EXPECT_TRUE(rows[2]["grid_score_60"].is_null());
  EXPECT_THAT(ran.err, HasSubstr("note: occupancy has shape [20, 20], not [units, n, n]: skipped"));
  EXPECT_THAT(ran.err, HasSubstr("note: curve has shape [1, 10, 20]"));
  EXPECT_THAT(ran.err, HasSubstr("1 of 3 maps have no score"));
}

TEST_F(ScoreTest, CsvHasTheNamedColumns) {
  const auto map = Hexagonal<float>(20, 8, 1);
  Write("maps", H5T_NATIVE_FLOAT, {1, 20, 20}, map.data());
  Close();
  const Ran ran = RunCaptured({"score", path_, "-o", "csv"});
  EXPECT_THAT(ran.out, ::testing::StartsWith(
                           "dataset,unit,grid_score_60,grid_score_90,period_bins\nmaps,0,"));
}

TEST_F(ScoreTest, AChosenDatasetThatIsNoStackSaysWhy) {
  const auto map = Hexagonal<float>(20, 8, 1);
  Write("flat", H5T_NATIVE_FLOAT, {20, 20}, map.data());
  Write("maps", H5T_NATIVE_FLOAT, {1, 20, 20}, map.data());
  Close();
  Ran ran = RunCaptured({"score", path_, "--dataset", "flat"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("flat has shape [20, 20]"));
  ran = RunCaptured({"score", path_, "--dataset", "other"});
  EXPECT_EQ(ran.code, kNotFound);
  EXPECT_THAT(ran.err, HasSubstr("has no dataset \"other\"; with ratemaps: maps"));
}

TEST_F(ScoreTest, AFileWithoutMapsIsAnError) {
  Close();
  const Ran ran = RunCaptured({"score", path_});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("holds no ratemaps"));
}

TEST_F(ScoreTest, NumbersOfAnotherFileAreNotRead) {
  const auto maps = Hexagonal<double>(20, 8, 1);
  const auto bytes = static_cast<hsize_t>(maps.size() * sizeof(double));
  const std::string other = (directory_ / "other").string();
  std::ofstream(other, std::ios::binary)
      .write(reinterpret_cast<const char*>(maps.data()), static_cast<std::streamsize>(bytes));
  const hsize_t shape[3] = {1, 20, 20};
  const hid_t space = H5Screate_simple(3, shape, nullptr), create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(create, other.c_str(), 0, bytes);
  H5Dclose(H5Dcreate2(file_, "elsewhere", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, create,
                      H5P_DEFAULT));
  H5Pclose(create);
  H5Sclose(space);
  Write("own", H5T_NATIVE_DOUBLE, {1, 20, 20}, maps.data());
  H5Lcreate_soft("/own", file_, "again", H5P_DEFAULT, H5P_DEFAULT);
  Close();
  Ran ran = RunCaptured({"score", path_, "-o", "csv"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("own,0,"));
  EXPECT_THAT(ran.out, ::testing::Not(HasSubstr("elsewhere")));
  EXPECT_THAT(ran.err, HasSubstr("note: elsewhere has external storage"));
  EXPECT_THAT(ran.err, HasSubstr("note: again is a soft link"));
  ran = RunCaptured({"score", path_, "--dataset", "elsewhere"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("elsewhere has external storage"));
}

TEST_F(ScoreTest, WhatIsNotHdf5IsRefused) {
  const std::string text = (directory_ / "text.h5").string();
  std::ofstream(text) << "no HDF5";
  EXPECT_EQ(RunCaptured({"score", text}).code, kFailed);
  EXPECT_THAT(RunCaptured({"score", text}).err, HasSubstr("is not an HDF5 file"));
  EXPECT_EQ(RunCaptured({"score", "/nonexistent.h5"}).code, kNotFound);
}

}  // namespace
}  // namespace gridsweep::sweepctl

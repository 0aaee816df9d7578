#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <vector>

#include "sweepctl/exit_code.h"
#include "tests/sweepctl/map_file.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::HasSubstr;

// A file at fault is refused before any server is asked: none is there.
class CompareRecordings : public MapFile {
 protected:
  Ran Run(const std::vector<std::string>& more = {}) {
    Close();
    std::vector<std::string> args = {"compare", "recordings", path_, "--analysis-address",
                                     "unix:/nonexistent/socket"};
    args.insert(args.end(), more.begin(), more.end());
    return RunCaptured(args);
  }
  void WriteMaps(const char* name, hsize_t neurons, hsize_t n, float rate) {
    const std::vector<float> maps(neurons * n * n, rate);
    Write(name, H5T_NATIVE_FLOAT, {neurons, n, n}, maps.data());
  }
};

TEST_F(CompareRecordings, AsksTheServerAboutASoundFile) {
  WriteMaps("maps", 2, 20, 1);
  const Ran ran = Run();
  EXPECT_EQ(ran.code, kUnavailable);
  EXPECT_THAT(ran.err, HasSubstr("cannot reach"));
}

TEST_F(CompareRecordings, NamesAFileThatIsNotThereOrNoHdf5) {
  EXPECT_EQ(RunCaptured({"compare", "recordings", "/nonexistent.h5"}).code, kNotFound);
  const std::string text = (directory_ / "text.h5").string();
  std::ofstream(text) << "no HDF5";
  const Ran ran = RunCaptured({"compare", "recordings", text});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("text.h5: is not an HDF5 file"));
}

TEST_F(CompareRecordings, SaysWhatIsWrongWithEachDatasetWhereNoneHoldsMaps) {
  const std::vector<float> flat(400);
  Write("flat", H5T_NATIVE_FLOAT, {20, 20}, flat.data());
  Write("empty", H5T_NATIVE_FLOAT, {0, 20, 20}, flat.data());
  const Ran ran = Run();
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("holds no ratemaps"));
  EXPECT_THAT(ran.err, HasSubstr("flat has shape [20, 20], not [units, n, n]"));
  EXPECT_THAT(ran.err, HasSubstr("empty has no units"));
}

TEST_F(CompareRecordings, AsksWhichOfSeveralDatasets) {
  WriteMaps("day1", 1, 20, 1);
  WriteMaps("day2", 1, 20, 1);
  Ran ran = Run();
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("say which with --dataset: day1, day2"));
  EXPECT_EQ(Run({"--dataset", "/day2"}).code, kUnavailable);
  ran = Run({"--dataset", "day3"});
  EXPECT_EQ(ran.code, kNotFound);
  EXPECT_THAT(ran.err, HasSubstr("has no dataset \"day3\"; with ratemaps: day1, day2"));
}

TEST_F(CompareRecordings, NamesTheSizesThatRunsStore) {
  WriteMaps("maps", 1, 25, 1);
  const Ran ran = Run();
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("maps has maps of 25 x 25 bins; runs store 20 x 20, 32 x 32 and "
                                 "44 x 44: bin the recordings to one of these"));
}

TEST_F(CompareRecordings, NamesWhatCannotBePredicted) {
  std::vector<float> maps(3 * 400, 1.0f);
  maps[2 * 400 + 5] = INFINITY;
  Write("infinite", H5T_NATIVE_FLOAT, {3, 20, 20}, maps.data());
  WriteMaps("unvisited", 2, 20, NAN);
  Ran ran = Run({"--dataset", "infinite"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("infinite[2] has an infinite rate; write NaN"));
  ran = Run({"--dataset", "unvisited"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("unvisited has no neuron with a visited bin"));
}

TEST_F(CompareRecordings, NamesHowManyNeuronsCanBeAskedAbout) {
  WriteMaps("many", 41'944, 20, 1);
  const Ran ran = Run();
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("many has 41944 neurons; at most 41943 of 20 x 20 bins"));
}

}  // namespace
}  // namespace gridsweep::sweepctl

// What the readers of HDF5 files answer to files that are not as ours.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "analysis/result_file.h"
#include "common/strings.h"
#include "hdf5/image.h"
#include "science/config/run_config.h"
#include "tests/support/temporary_directory.h"
#include "worker/checkpoint.h"

namespace gridsweep {
namespace {

using Shape = std::vector<hsize_t>;

class Hdf5Readers : public ::testing::Test {
 protected:
  Hdf5Readers()
      : path_(directory_ / "file.h5"),
        file_(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Hdf5Readers() override { Close(); }

  void Numbers(hid_t object, const char* name, const std::vector<double>& values) {
    const hsize_t size = values.size();
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    const hid_t attribute =
        H5Acreate2(object, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_DOUBLE, values.data());
    H5Aclose(attribute);
    H5Sclose(space);
  }
  void Texts(const char* name, size_t bytes, const void* values, hsize_t size) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes);
    const hid_t space = H5Screate_simple(1, &size, nullptr);
    const hid_t attribute = H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, values);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }
  hid_t Group(const char* name) {
    return H5Gcreate2(file_, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  }
  // In chunks none of which is written.
  void Unwritten(const char* name, const Shape& shape) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    const Shape chunk(shape.size(), 2);
    H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data());
    const hid_t dataset =
        H5Dcreate2(file_, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    EXPECT_GE(dataset, 0);
    H5Dclose(dataset);
    H5Pclose(create);
    H5Sclose(space);
  }
  void Close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }
  hdf5::File Reader() {
    Close();
    std::ifstream file(path_, std::ios::binary);
    return *hdf5::OpenImage(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  analysis::ResultFile Result() { return analysis::ResultFile(Reader()); }

  const testing::TemporaryDirectory directory_;
  const std::filesystem::path path_;
  hid_t file_;
};

TEST_F(Hdf5Readers, TakeSeveralNumbersForNoMetric) {
  const hid_t group = Group("metrics");
  Numbers(group, "loss", {1, 2, 3, 4});
  Numbers(group, "loss_mb", {5});
  H5Gclose(group);
  const auto file = Result();
  EXPECT_TRUE(std::isnan(file.Metric("loss")));
  EXPECT_EQ(file.Metric("loss_mb"), 5);
}

TEST_F(Hdf5Readers, TakeSeveralTextsForNone) {
  const char* texts[] = {"one", "two", "three"};
  Texts("long", H5T_VARIABLE, texts, 3);
  Texts("short", 4, "one\0two\0", 2);
  Texts("single", 4, "one", 1);
  const hdf5::File reader = Reader();
  EXPECT_TRUE(absl::IsDataLoss(hdf5::CheckOurs(reader.objects())));
  EXPECT_EQ(reader.Text("/", "long").status().code(), absl::StatusCode::kDataLoss);
  const auto file = Result();
  EXPECT_EQ(file.TextAttribute("long").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(file.TextAttribute("short").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*file.TextAttribute("single"), "one");
}

TEST_F(Hdf5Readers, GiveNoMemoryToNumbersThatTheFileDoesNotHold) {
  Unwritten("huge", {hsize_t{1} << 40});
  Unwritten("wraps", {(hsize_t{1} << 61) + 1, 8});
  H5Gclose(Group("ratemaps"));
  Unwritten("ratemaps/n44", {hsize_t{1} << 40, 44, 44});
  Unwritten("small", {2, 3});
  const hdf5::File reader = Reader();
  EXPECT_TRUE(absl::IsDataLoss(hdf5::CheckOurs(reader.objects())));
  for (const char* name : {"/huge", "/wraps", "/ratemaps/n44"}) {
    EXPECT_EQ(reader.Read<double>(name).status().code(), absl::StatusCode::kDataLoss) << name;
    EXPECT_EQ(Result().Numbers(name).status().code(), absl::StatusCode::kDataLoss) << name;
  }
  EXPECT_EQ(*reader.Read<double>("/small"), std::vector<double>(6));
  const auto file = Result();
  EXPECT_EQ(file.Ratemaps(44).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(file.Ratemap(44, 1).status().code(), absl::StatusCode::kDataLoss);
}

TEST(CheckpointFile, WithAStepThatNoRunHasIsRefused) {
  const science::RunConfig config;
  worker::Checkpoint checkpoint;
  checkpoint.artifact_curve.losses = {{UINT64_MAX, 0.5}};
  const auto bytes = worker::EncodeCheckpoint(config, checkpoint);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(worker::DecodeCheckpoint(config, *hdf5::OpenImage(*bytes)).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gridsweep

// An HDF5 file that a test fills.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace gridsweep::sweepctl {

class MapFile : public ::testing::Test {
 protected:
  MapFile() {
    path_ = (directory_ / "maps.h5").string();
    file_ = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  ~MapFile() override { Close(); }
  void Close() {
    if (file_ >= 0) H5Fclose(file_);
    file_ = -1;
  }
  void Group(const char* name) {
    H5Gclose(H5Gcreate2(file_, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  void Write(const char* name, hid_t type, const std::vector<hsize_t>& dims, const void* data) {
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
    const hid_t set = H5Dcreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Dclose(set);
    H5Sclose(space);
  }

  const testing::TemporaryDirectory directory_;
  std::string path_;
  hid_t file_ = -1;
};

}  // namespace gridsweep::sweepctl

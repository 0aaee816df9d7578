#include "tests/science/scoring/golden_file.h"

#include <hdf5.h>

#include <stdexcept>

namespace gridsweep::scoring {
namespace {

const char* const kFile = GRIDSWEEP_SOURCE_DIR "/tests/data/scoring/grid_scores.h5";

std::vector<double> ReadArray(hid_t file, const std::string& name) {
  const hid_t set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  if (set < 0) throw std::runtime_error(std::string(kFile) + " has no " + name);
  const hid_t space = H5Dget_space(set);
  std::vector<double> values(H5Sget_simple_extent_npoints(space));
  const herr_t read = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Sclose(space);
  H5Dclose(set);
  if (read < 0) throw std::runtime_error(name + " cannot be read");
  return values;
}

}  // namespace

GoldenScores ReadGoldenScores(int nbins) {
  const hid_t file = H5Fopen(kFile, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) throw std::runtime_error(std::string(kFile) + " is missing: restore it");
  const std::string group = "/nbins_" + std::to_string(nbins) + "/";
  GoldenScores golden;
  golden.ratemap = ReadArray(file, group + "ratemap");
  golden.sac = ReadArray(file, group + "sac");
  golden.score_60 = ReadArray(file, group + "grid_score_60");
  golden.score_90 = ReadArray(file, group + "grid_score_90");
  golden.mask_60 = ReadArray(file, group + "grid_score_60_per_mask");
  golden.mask_90 = ReadArray(file, group + "grid_score_90_per_mask");
  golden.best_mask_60 = ReadArray(file, group + "best_mask_60");
  golden.best_mask_90 = ReadArray(file, group + "best_mask_90");
  golden.period = ReadArray(file, group + "period_bins");
  golden.period_error = ReadArray(file, group + "period_err_bins");
  golden.orientation = ReadArray(file, group + "orientation_rad");
  golden.maps = static_cast<int>(golden.score_60.size());
  H5Fclose(file);
  return golden;
}

}  // namespace gridsweep::scoring

#include "tests/science/scoring/golden_file.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "hdf5/image.h"

namespace gridsweep::scoring {
namespace {

const char* const kFile = GRIDSWEEP_SOURCE_DIR "/tests/data/scoring/grid_scores.h5";

std::vector<double> ReadArray(const hdf5::File& file, const std::string& name) {
  auto values = file.Read<double>(name);
  if (!values.ok()) throw std::runtime_error(kFile + (": " + values.status().ToString()));
  return *std::move(values);
}

}  // namespace

GoldenScores ReadGoldenScores(int nbins) {
  std::ifstream in(kFile, std::ios::binary);
  const auto opened = hdf5::OpenImage({std::istreambuf_iterator<char>(in), {}});
  if (!opened.ok()) throw std::runtime_error(std::string(kFile) + " is missing: restore it");
  const hdf5::File& file = *opened;
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
  return golden;
}

}  // namespace gridsweep::scoring

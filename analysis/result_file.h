// A run's result file (HDF5), opened for reading. Its layout:
//   attributes            config (canonical JSON), config_hash (hex), ...
//   /ratemaps/n44 ...     float32 [units, nbins, nbins], first index x; NaN = never visited
//   /scores/<metric>      float64 [units]
//   /chance/..., /untrained/...   grid_score_60 of shuffles and of the untrained network
//   /learning_curve/...   step, loss, error_cm, fraction_above
//   /metrics              attributes: metrics of the run
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gridsweep::analysis {

class ResultFile {
 public:
  // NOT_FOUND when there is no such file; DATA_LOSS when it is no HDF5 file.
  static absl::StatusOr<ResultFile> Open(const std::filesystem::path& path);
  ResultFile(ResultFile&& other) noexcept;
  ResultFile& operator=(ResultFile&&) = delete;
  ~ResultFile();

  // The ratemap [nbins * nbins] of one unit. NOT_FOUND without maps of that
  // size or without that unit.
  absl::StatusOr<std::vector<float>> Ratemap(int nbins, uint32_t unit) const {
    return Maps(nbins, unit);
  }
  // All of that size [units, nbins, nbins]. NOT_FOUND without maps of that size.
  absl::StatusOr<std::vector<float>> Ratemaps(int nbins) const { return Maps(nbins, std::nullopt); }
  // All of a dataset as float64; NOT_FOUND when it is not there.
  absl::StatusOr<std::vector<double>> Numbers(const std::string& dataset) const;
  // A metric of the run; NaN where it has none of that name.
  double Metric(const std::string& name) const;
  // A text attribute of the root.
  absl::StatusOr<std::string> TextAttribute(const std::string& name) const;

 private:
  explicit ResultFile(int64_t file) : file_(file) {}
  absl::StatusOr<std::vector<float>> Maps(int nbins, std::optional<uint32_t> unit) const;

  int64_t file_;  // an HDF5 identifier
};

}  // namespace gridsweep::analysis

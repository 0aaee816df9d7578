// A run's result file (HDF5), opened for reading. Its layout:
//   attributes            config (canonical JSON), config_hash (hex), ...
//   /ratemaps/n44 ...     float32 [units, nbins, nbins], first index x; NaN = never visited
//   /scores/<metric>      float64 [units]
//   /chance/..., /untrained/...   grid_score_60 of shuffles and of the untrained network
//   /learning_curve/...   step, loss, error_cm, fraction_above
//   /metrics              attributes: metrics of the run
// A worker made it: it is read in a process of its own, and refused whole where it holds what no
// worker of ours writes.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/artifact_store.h"
#include "hdf5/file.h"
#include "hdf5/reader.h"

namespace gridsweep::analysis {

// Errors of all methods: DATA_LOSS where the file cannot be read, UNAVAILABLE where its reader was
// lost. An open file costs a process: it is not kept while a client is waited for.
class ResultFile {
 public:
  explicit ResultFile(hdf5::File file) : file_(std::move(file)) {}

  // The ratemap [nbins * nbins] of one unit. NOT_FOUND without maps of that
  // size or without that unit.
  absl::StatusOr<std::vector<float>> Ratemap(int nbins, uint32_t unit) const;
  // All of that size [units, nbins, nbins]. NOT_FOUND without maps of that size.
  absl::StatusOr<std::vector<float>> Ratemaps(int nbins) const;
  // All of a dataset as float64; NOT_FOUND when it is not there.
  absl::StatusOr<std::vector<double>> Numbers(const std::string& dataset) const;
  // A metric of the run; NaN where it has none of that name.
  double Metric(const std::string& name) const;
  // A text attribute of the root.
  absl::StatusOr<std::string> TextAttribute(const std::string& name) const;

 private:
  // The path of the maps of that size.
  absl::StatusOr<std::string> MapsPath(int nbins) const;

  hdf5::File file_;
};

// The result files of an artifact directory. For any thread.
class ResultFiles {
 public:
  // Both outlive this object.
  ResultFiles(const ArtifactStore& artifacts, hdf5::Reader& reader)
      : artifacts_(artifacts), reader_(reader) {}

  // NOT_FOUND when there is no such file; DATA_LOSS when it is no result file.
  absl::StatusOr<ResultFile> Open(const std::string& sha256) const;
  absl::StatusOr<ResultFile> OpenPath(const std::filesystem::path& path) const;

 private:
  const ArtifactStore& artifacts_;
  hdf5::Reader& reader_;
};

}  // namespace gridsweep::analysis

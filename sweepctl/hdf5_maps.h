// Stacks of square maps in any HDF5 file.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "hdf5/file.h"

namespace gridsweep::sweepctl {

// A dataset [units, n, n] of numbers.
struct MapStack {
  std::string name;  // path in the file, without the leading slash
  size_t units = 0;
  int nbins = 0;
};

struct SkippedDataset {
  std::string name;
  std::string why;
};

class Hdf5Maps {
 public:
  // Finds all datasets of a file, which is read in a process of its own (hdf5/reader.h) and may be
  // anybody's. NOT_FOUND; INVALID_ARGUMENT when it is not HDF5.
  static absl::StatusOr<std::unique_ptr<Hdf5Maps>> Open(const std::string& file);
  // The same of an open file, called `name` in messages.
  Hdf5Maps(hdf5::File file, std::string name);

  const std::vector<MapStack>& stacks() const { return stacks_; }
  const std::vector<SkippedDataset>& skipped() const { return skipped_; }

  // The stack of that path, with or without its leading slash. INVALID_ARGUMENT where that dataset
  // is no stack, NOT_FOUND naming the stacks there are.
  absl::StatusOr<MapStack> Find(std::string name) const;
  // INVALID_ARGUMENT: the file has no stack.
  absl::Status NoStacks() const;

  // Maps first .. first + count - 1 of a stack, as float64 [count, n, n].
  absl::StatusOr<std::vector<double>> Read(const MapStack& stack, size_t first, size_t count) const;

 private:
  const hdf5::File file_;
  const std::string path_;
  std::vector<MapStack> stacks_;
  std::vector<SkippedDataset> skipped_;
};

}  // namespace gridsweep::sweepctl

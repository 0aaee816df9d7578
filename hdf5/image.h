// HDF5 files read by this process with the library, from memory: what the sandboxed program does,
// and tests. Files from elsewhere are read through reader.h.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hdf5/file.h"

namespace gridsweep::hdf5 {

// A file whose bytes stay in memory, unchanged and uncopied, for as long as this object lives.
class Image {
 public:
  // DATA_LOSS where they are no HDF5 file, or its structure passes walk.h's limits.
  static absl::StatusOr<std::unique_ptr<Image>> Open(std::string_view bytes);
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  const Inventory& inventory() const { return inventory_; }
  // As Source::Read; but nothing of what it is asked for is believed.
  absl::Status Read(uint32_t object, NumberType type, uint64_t first, uint64_t rows,
                    std::span<char> into) const;
  // How many rows are best read at once: some MiB, and whole chunks.
  uint64_t RowsAtOnce(uint32_t object, NumberType type) const;

 private:
  explicit Image(int64_t file) : file_(file) {}

  const int64_t file_;  // an HDF5 identifier
  Inventory inventory_;
};

// The same as a File, which keeps the bytes.
absl::StatusOr<File> OpenImage(std::string bytes);

}  // namespace gridsweep::hdf5

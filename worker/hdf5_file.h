// HDF5 files in memory: written for artifacts and checkpoints, read for checkpoints.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gridsweep::worker {

// Says what HDF5 could not do: "create /scores".
class Hdf5Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Hdf5Shape = std::vector<uint64_t>;

// Its bytes are a function of what is written alone: no times, fixed chunks and
// deflate level. Errors are thrown as Hdf5Error.
class Hdf5Writer {
 public:
  Hdf5Writer();
  ~Hdf5Writer();

  // Attributes of the file itself. Texts are UTF-8 of variable length, which h5py
  // hands out as str.
  void Text(const std::string& name, const std::string& text);
  void Number(const std::string& name, double value);
  void Number(const std::string& name, int64_t value);
  void Number(const std::string& name, uint64_t value);
  void Number(const std::string& name, uint32_t value);

  // A group with attributes.
  void Group(const std::string& name,
             const std::vector<std::pair<std::string, double>>& attributes = {});

  // Compressed, row-major; float32 in small chunks of rows, since ratemaps are read a
  // few at a time. The group it lies in must be there.
  void Dataset(const std::string& name, std::span<const double> values, const Hdf5Shape& shape,
               const std::string& unit);
  void Dataset(const std::string& name, std::span<const float> values, const Hdf5Shape& shape,
               const std::string& unit);
  void Dataset(const std::string& name, std::span<const int64_t> values, const Hdf5Shape& shape,
               const std::string& unit);
  void Dataset(const std::string& name, std::span<const uint64_t> values, const Hdf5Shape& shape,
               const std::string& unit);
  // As it is in memory: for numbers that no compression shortens.
  void Plain(const std::string& name, std::span<const float> values, const Hdf5Shape& shape,
             const std::string& unit);
  // An attribute [n] of a dataset.
  void NumbersAttribute(const std::string& dataset, const std::string& name,
                        std::span<const double> values);

  // The whole file.
  std::string Bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Errors: NOT_FOUND where there is nothing of that name, DATA_LOSS where it cannot be read.
class Hdf5Reader {
 public:
  // `bytes` are copied. DATA_LOSS where they are no HDF5 file.
  static absl::StatusOr<Hdf5Reader> Open(std::string_view bytes);
  Hdf5Reader(Hdf5Reader&& other) noexcept;
  Hdf5Reader& operator=(Hdf5Reader&&) = delete;
  ~Hdf5Reader();

  absl::StatusOr<std::string> Text(const std::string& name) const;
  absl::StatusOr<double> Number(const std::string& name) const;
  absl::StatusOr<uint64_t> Count(const std::string& name) const;
  absl::StatusOr<double> GroupNumber(const std::string& group, const std::string& name) const;
  // All numbers of a dataset, and its shape where it is asked for.
  absl::StatusOr<std::vector<double>> Doubles(const std::string& dataset) const;
  absl::StatusOr<std::vector<uint64_t>> Counts(const std::string& dataset) const;
  absl::StatusOr<std::vector<float>> Floats(const std::string& dataset,
                                            Hdf5Shape* shape = nullptr) const;
  bool Has(const std::string& path) const;

 private:
  explicit Hdf5Reader(int64_t file) : file_(file) {}
  int64_t file_;  // an HDF5 identifier
};

}  // namespace gridsweep::worker

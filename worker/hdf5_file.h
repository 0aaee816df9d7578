// HDF5 files in memory, written for artifacts and checkpoints.
#pragma once

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

}  // namespace gridsweep::worker

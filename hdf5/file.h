// An HDF5 file that is open for reading, whoever reads it: this process (image.h) or the sandboxed
// program (reader.h).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hdf5/inventory.h"

namespace gridsweep::hdf5 {

// What numbers become in memory.
enum class NumberType : uint32_t { kFloat, kDouble, kUint64 };
constexpr size_t SizeOf(NumberType type) { return type == NumberType::kFloat ? 4 : 8; }

// Where the numbers come from.
class Source {
 public:
  virtual ~Source() = default;
  // Fills `into` with rows first .. first + rows - 1 of a dataset, along its first length (a single
  // number: row 0 of 1). `object` is its place in the inventory; the rows are there and have
  // into.size() bytes. DATA_LOSS where they cannot be read.
  virtual absl::Status Read(uint32_t object, NumberType type, uint64_t first, uint64_t rows,
                            std::span<char> into) = 0;
};

// For one thread at a time. Errors: NOT_FOUND where there is nothing of that name, DATA_LOSS where
// it is of another kind or cannot be read, UNAVAILABLE where the reading program was lost.
class File {
 public:
  File(Inventory inventory, std::unique_ptr<Source> source);

  const Inventory& objects() const { return inventory_; }
  // nullptr where there is none. Paths begin with "/".
  const Object* Find(std::string_view path) const;
  bool Has(std::string_view path) const { return Find(path) != nullptr; }

  // Attributes of an object.
  absl::StatusOr<std::string> Text(std::string_view path, std::string_view attribute) const;
  absl::StatusOr<double> Number(std::string_view path, std::string_view attribute) const;
  absl::StatusOr<uint64_t> Whole(std::string_view path, std::string_view attribute) const;

  // All numbers of a dataset, or some of its rows; T is float, double or uint64_t. DATA_LOSS, and
  // no memory taken, where they are more than `most_bytes` of T.
  template <class T>
  absl::StatusOr<std::vector<T>> Read(std::string_view path,
                                      uint64_t most_bytes = kMostBytes) const;
  template <class T>
  absl::StatusOr<std::vector<T>> ReadRows(std::string_view path, uint64_t first, uint64_t rows,
                                          uint64_t most_bytes = kMostBytes) const;

  static constexpr uint64_t kMostBytes = uint64_t{4} << 30;

 private:
  absl::StatusOr<const Attribute*> FindAttribute(std::string_view path,
                                                 std::string_view name) const;

  Inventory inventory_;
  std::map<std::string, uint32_t, std::less<>> by_path_;
  std::unique_ptr<Source> source_;
};

}  // namespace gridsweep::hdf5

// What an HDF5 file holds, as a list: all that a reader needs to know of it but the numbers.
//
// The list crosses a process boundary (reader.h): its decoder believes nothing that it is told.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::hdf5 {

struct Attribute {
  enum class Kind : uint8_t { kNumber, kText, kNumbers, kOther };
  std::string name;
  Kind kind = Kind::kOther;
  double number = 0;              // kNumber
  std::optional<uint64_t> whole;  // kNumber that is stored as an integer
  std::string text;               // kText
};

enum class NumberKind : uint8_t { kNone, kInteger, kFloat };

struct Object {
  enum class Kind : uint8_t { kGroup, kDataset, kOther };
  std::string path;  // "/ratemaps/n44"; "/" for the root
  Kind kind = Kind::kOther;
  // Of a dataset: what it holds, bytes a number, and its lengths; {} for a single number.
  NumberKind numbers = NumberKind::kNone;
  uint32_t number_bytes = 0;
  std::vector<uint64_t> shape;
  // Why it is not read, as the end of a sentence that begins with its path; "" where it may be.
  std::string refused;
  std::vector<Attribute> attributes;
};

// The root first, groups before what is in them, each group's members by name.
using Inventory = std::vector<Object>;

// Numbers of a shape; none where the product passes 2^62.
std::optional<uint64_t> CountOf(const std::vector<uint64_t>& shape);

// Whether `stored_bytes` of a file can be the numbers of `object`: deflate packs 1032 bytes into
// one. What a file cannot hold is given no memory.
bool CanHold(uint64_t stored_bytes, const Object& object);

// OK where all is of the kinds that our writers make: groups, datasets of numbers stored in the
// file itself, attributes that are numbers or text. Else DATA_LOSS naming what is not.
absl::Status CheckOurs(const Inventory& inventory);

// A name from a file, for a message: escaped, and cut where it is long.
std::string Shown(std::string_view name);

std::string Encode(const Inventory& inventory);
// Of a file of `file_bytes`. DATA_LOSS where `bytes` are no such list.
absl::StatusOr<Inventory> Decode(std::string_view bytes, uint64_t file_bytes);

}  // namespace gridsweep::hdf5

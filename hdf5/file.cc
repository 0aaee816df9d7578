#include "hdf5/file.h"

#include <utility>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::hdf5 {
namespace {

template <class T>
constexpr NumberType TypeOf() {
  if constexpr (std::is_same_v<T, float>) return NumberType::kFloat;
  if constexpr (std::is_same_v<T, double>) return NumberType::kDouble;
  return NumberType::kUint64;
}

absl::Status Missing(std::string_view path) {
  return absl::NotFoundError(StrCat("the file has no ", Shown(path)));
}

absl::Status Unreadable(std::string_view what, std::string_view why) {
  return absl::DataLossError(StrCat(Shown(what), " ", why));
}

}  // namespace

File::File(Inventory inventory, std::unique_ptr<Source> source)
    : inventory_(std::move(inventory)), source_(std::move(source)) {
  for (uint32_t i = 0; i < inventory_.size(); ++i) by_path_.emplace(inventory_[i].path, i);
}

const Object* File::Find(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &inventory_[found->second];
}

absl::StatusOr<const Attribute*> File::FindAttribute(std::string_view path,
                                                     std::string_view name) const {
  const Object* object = Find(path);
  if (object == nullptr) return Missing(path);
  for (const Attribute& attribute : object->attributes) {
    if (attribute.name == name) return &attribute;
  }
  return absl::NotFoundError(StrCat(Shown(path), " has no attribute ", Shown(name)));
}

absl::StatusOr<std::string> File::Text(std::string_view path, std::string_view attribute) const {
  ASSIGN_OR_RETURN(const Attribute* found, FindAttribute(path, attribute));
  if (found->kind == Attribute::Kind::kText) return found->text;
  return Unreadable(attribute, "is not one text");
}

absl::StatusOr<double> File::Number(std::string_view path, std::string_view attribute) const {
  ASSIGN_OR_RETURN(const Attribute* found, FindAttribute(path, attribute));
  if (found->kind == Attribute::Kind::kNumber) return found->number;
  return Unreadable(attribute, "is not one number");
}

absl::StatusOr<uint64_t> File::Whole(std::string_view path, std::string_view attribute) const {
  ASSIGN_OR_RETURN(const Attribute* found, FindAttribute(path, attribute));
  if (found->kind == Attribute::Kind::kNumber && found->whole) return *found->whole;
  return Unreadable(attribute, "is not one whole number");
}

template <class T>
absl::StatusOr<std::vector<T>> File::Read(std::string_view path, uint64_t most_bytes) const {
  const Object* object = Find(path);
  if (object == nullptr) return Missing(path);
  return ReadRows<T>(path, 0, object->shape.empty() ? 1 : object->shape.front(), most_bytes);
}

template <class T>
absl::StatusOr<std::vector<T>> File::ReadRows(std::string_view path, uint64_t first, uint64_t rows,
                                              uint64_t most_bytes) const {
  const Object* object = Find(path);
  if (object == nullptr) return Missing(path);
  if (!object->refused.empty()) return Unreadable(path, object->refused);
  if (object->kind != Object::Kind::kDataset || object->numbers == NumberKind::kNone) {
    return Unreadable(path, "does not hold numbers");
  }
  std::vector<uint64_t> shape = object->shape;
  const uint64_t all = shape.empty() ? 1 : shape.front();
  if (first > all || rows > all - first) return Missing(StrCat(path, "[", first + rows, "]"));
  if (!shape.empty()) shape.front() = rows;
  const auto count = CountOf(shape);
  if (!count || *count > most_bytes / sizeof(T)) {
    return Unreadable(path, StrCat("has more than ", most_bytes, " bytes of numbers"));
  }
  std::vector<T> values(*count);
  if (values.empty()) return values;
  RETURN_IF_ERROR(source_->Read(by_path_.find(path)->second, TypeOf<T>(), first, rows,
                                {reinterpret_cast<char*>(values.data()), *count * sizeof(T)}));
  return values;
}

#define GRIDSWEEP_READ_AS(T)                                                                      \
  template absl::StatusOr<std::vector<T>> File::Read<T>(std::string_view, uint64_t) const;        \
  template absl::StatusOr<std::vector<T>> File::ReadRows<T>(std::string_view, uint64_t, uint64_t, \
                                                            uint64_t) const
GRIDSWEEP_READ_AS(float);
GRIDSWEEP_READ_AS(double);
GRIDSWEEP_READ_AS(uint64_t);
#undef GRIDSWEEP_READ_AS

}  // namespace gridsweep::hdf5

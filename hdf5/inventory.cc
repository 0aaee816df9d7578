#include "hdf5/inventory.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "common/strings.h"

namespace gridsweep::hdf5 {
namespace {

constexpr uint64_t kMostCount = uint64_t{1} << 62;
constexpr uint64_t kMostPacked = 1100;
constexpr uint32_t kMostRank = 32;
constexpr uint32_t kMostNumberBytes = 8;
constexpr size_t kShownBytes = 200;

class Packer {
 public:
  template <class T>
  void Put(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void Put(const std::string& text) {
    Put(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Once something is wrong, all that follows is zero.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T Get() {
    T value{};
    if (bytes_.size() < sizeof value) return Fail(), value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string Text() {
    const auto size = Get<uint32_t>();
    if (bytes_.size() < size) return Fail(), "";
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  // One of 0 to `last`.
  template <class Enum>
  Enum OneOf(Enum last) {
    const auto value = Get<uint8_t>();
    if (value > static_cast<uint8_t>(last)) Fail();
    return ok_ ? static_cast<Enum>(value) : Enum{};
  }
  // How many follow, each of at least one byte.
  uint32_t Count(uint32_t most) {
    const auto count = Get<uint32_t>();
    if (count > most || count > bytes_.size()) Fail();
    return ok_ ? count : 0;
  }
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

Attribute UnpackAttribute(Unpacker& in) {
  Attribute attribute;
  attribute.name = in.Text();
  attribute.kind = in.OneOf(Attribute::Kind::kOther);
  attribute.number = in.Get<double>();
  const auto is_whole = in.Get<uint8_t>();
  const auto whole = in.Get<uint64_t>();
  if (is_whole != 0) attribute.whole = whole;
  attribute.text = in.Text();
  return attribute;
}

Object UnpackObject(Unpacker& in, uint64_t file_bytes) {
  Object object;
  object.path = in.Text();
  object.kind = in.OneOf(Object::Kind::kOther);
  object.numbers = in.OneOf(NumberKind::kFloat);
  object.number_bytes = in.Get<uint32_t>();
  const uint32_t rank = in.Count(kMostRank);
  for (uint32_t i = 0; i < rank; ++i) object.shape.push_back(in.Get<uint64_t>());
  object.refused = in.Text();
  const uint32_t attributes = in.Count(UINT32_MAX);
  for (uint32_t i = 0; in.ok() && i < attributes; ++i) {
    object.attributes.push_back(UnpackAttribute(in));
  }
  if (object.number_bytes > kMostNumberBytes ||
      (object.kind == Object::Kind::kDataset && object.refused.empty() &&
       !CanHold(file_bytes, object))) {
    in.Fail();
  }
  return object;
}

}  // namespace

std::optional<uint64_t> CountOf(const std::vector<uint64_t>& shape) {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  uint64_t count = 1;
  for (const uint64_t length : shape) {
    if (length > kMostCount / count) return std::nullopt;
    count *= length;
  }
  return count;
}

bool CanHold(uint64_t stored_bytes, const Object& object) {
  const auto count = CountOf(object.shape);
  if (!count) return false;
  const uint64_t room = (std::min(stored_bytes, kMostCount / kMostPacked - 1) + 1) * kMostPacked;
  return *count <= room / std::max<uint64_t>(object.number_bytes, 1);
}

absl::Status CheckOurs(const Inventory& inventory) {
  for (const Object& object : inventory) {
    std::string wrong = object.refused;
    if (wrong.empty() && object.kind == Object::Kind::kDataset &&
        object.numbers == NumberKind::kNone) {
      wrong = "does not hold numbers";
    }
    for (const Attribute& attribute : object.attributes) {
      if (wrong.empty() && attribute.kind == Attribute::Kind::kOther) {
        wrong = StrCat("has an attribute ", Shown(attribute.name),
                       " that is neither a text nor numbers");
      }
    }
    if (!wrong.empty()) return absl::DataLossError(StrCat(Shown(object.path), " ", wrong));
  }
  return absl::OkStatus();
}

std::string Shown(std::string_view name) {
  const std::string shown = absl::CHexEscape(ToAbsl(name.substr(0, kShownBytes)));
  return name.size() > kShownBytes ? shown + "..." : shown;
}

std::string Encode(const Inventory& inventory) {
  Packer out;
  out.Put(static_cast<uint32_t>(inventory.size()));
  for (const Object& object : inventory) {
    out.Put(object.path);
    out.Put(object.kind);
    out.Put(object.numbers);
    out.Put(object.number_bytes);
    out.Put(static_cast<uint32_t>(object.shape.size()));
    for (const uint64_t length : object.shape) out.Put(length);
    out.Put(object.refused);
    out.Put(static_cast<uint32_t>(object.attributes.size()));
    for (const Attribute& attribute : object.attributes) {
      out.Put(attribute.name);
      out.Put(attribute.kind);
      out.Put(attribute.number);
      out.Put(static_cast<uint8_t>(attribute.whole.has_value()));
      out.Put(attribute.whole.value_or(0));
      out.Put(attribute.text);
    }
  }
  return out.Take();
}

absl::StatusOr<Inventory> Decode(std::string_view bytes, uint64_t file_bytes) {
  Unpacker in(bytes);
  Inventory inventory;
  const uint32_t objects = in.Count(UINT32_MAX);
  for (uint32_t i = 0; in.ok() && i < objects; ++i) {
    inventory.push_back(UnpackObject(in, file_bytes));
  }
  if (!in.ok() || !in.at_end()) return absl::DataLossError("its list of objects is malformed");
  return inventory;
}

}  // namespace gridsweep::hdf5

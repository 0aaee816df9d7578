#include "hdf5/walk.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "common/strings.h"
#include "hdf5/handle.h"

namespace gridsweep::hdf5 {
namespace {

// A file of ours has 60 objects, three levels and some 100 attributes. A group that holds itself
// ends at the depth, objects under many names at their number.
constexpr size_t kMostObjects = 20'000;
constexpr size_t kMostAttributes = 100'000;
constexpr size_t kMostText = 16 << 20;  // bytes of names and texts together
constexpr size_t kMostOneText = 1 << 20;
constexpr int kMostDepth = 32;
constexpr uint64_t kMostChunkBytes = uint64_t{256} << 20;
constexpr size_t kMostNumberBytes = 8;

// HDF5 1.12 numbered these anew.
#if H5_VERSION_GE(1, 12, 0)
using LinkInfo = H5L_info2_t;
herr_t ForEachLink(hid_t group, H5L_iterate2_t visit, void* data) {
  return H5Literate2(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, data);
}
#else
using LinkInfo = H5L_info_t;
herr_t ForEachLink(hid_t group, H5L_iterate_t visit, void* data) {
  return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, data);
}
#endif

constexpr herr_t kGoOn = 0, kStop = 1;

NumberKind NumbersOf(hid_t type) {
  const size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > kMostNumberBytes) return NumberKind::kNone;
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return NumberKind::kInteger;
    case H5T_FLOAT:
      return NumberKind::kFloat;
    default:
      return NumberKind::kNone;
  }
}

class Walker {
 public:
  explicit Walker(uint64_t file_bytes) : file_bytes_(file_bytes) {}

  absl::Status Visit(hid_t object, const std::string& path, int depth) {
    if (const absl::Status status = Add(path); !status.ok()) return status;
    const size_t at = inventory_.size() - 1;
    switch (H5Iget_type(object)) {
      case H5I_GROUP:
        inventory_[at].kind = Object::Kind::kGroup;
        break;
      case H5I_DATASET:
        inventory_[at].kind = Object::Kind::kDataset;
        DescribeDataset(object, inventory_[at]);
        break;
      default:
        inventory_[at].refused = "is neither a group nor a dataset";
        return absl::OkStatus();
    }
    if (const absl::Status status = VisitAttributes(object, at); !status.ok()) return status;
    return inventory_[at].kind == Object::Kind::kGroup ? VisitMembers(object, path, depth)
                                                       : absl::OkStatus();
  }

  Inventory Take() { return std::move(inventory_); }

 private:
  struct Place {
    Walker* walker;
    std::string path;
    int depth;
    size_t object;
    absl::Status status;
  };

  static absl::Status TooLarge(const std::string& what) {
    return absl::DataLossError("the file holds " + what);
  }

  // An object of that path, at the end of the list.
  absl::Status Add(const std::string& path) {
    if (inventory_.size() == kMostObjects) {
      return TooLarge(StrCat("more than ", kMostObjects, " objects"));
    }
    text_ += path.size();
    if (text_ > kMostText) return TooLarge("more text than 16 MiB");
    inventory_.emplace_back().path = path;
    return absl::OkStatus();
  }

  // Runs `work`, whose exceptions must not pass through HDF5's frames.
  template <class Work>
  static herr_t Within(Place& place, const Work& work) {
    try {
      place.status = work();
    } catch (const std::exception& error) {
      place.status = absl::DataLossError(StrCat("the file cannot be listed: ", error.what()));
    }
    return place.status.ok() ? kGoOn : kStop;
  }

  absl::Status VisitMembers(hid_t group, const std::string& path, int depth) {
    Place place{this, path == "/" ? path : path + "/", depth + 1, 0, absl::OkStatus()};
    if (ForEachLink(group, OnLink, &place) < 0) {
      return absl::DataLossError(StrCat("the members of ", Shown(path), " cannot be listed"));
    }
    return place.status;
  }

  static herr_t OnLink(hid_t group, const char* name, const LinkInfo* info, void* data) {
    Place& place = *static_cast<Place*>(data);
    return Within(place, [&] {
      return place.walker->VisitLink(group, name, info->type, place.path + name, place.depth);
    });
  }

  absl::Status VisitLink(hid_t group, const char* name, H5L_type_t type, const std::string& path,
                         int depth) {
    const std::string_view last = name;
    std::string refused;
    if (type == H5L_TYPE_SOFT) {
      refused = "is a soft link, which is not followed";
    } else if (type == H5L_TYPE_EXTERNAL) {
      refused = "is a link into another file, which is not followed";
    } else if (type != H5L_TYPE_HARD) {
      refused = "is a link of an unknown kind, which is not followed";
    } else if (last.empty() || last == "." || last.find('/') != last.npos) {
      // HDF5 would take it for a path, whose links nobody has looked at.
      refused = "has a name that is no name";
    } else if (depth > kMostDepth) {
      return TooLarge(StrCat("more than ", kMostDepth, " levels of groups"));
    }
    if (refused.empty()) {
      const Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
      if (object.ok()) return Visit(object, path, depth);
      refused = "cannot be opened";
    }
    const absl::Status status = Add(path);
    if (status.ok()) inventory_.back().refused = refused;
    return status;
  }

  void DescribeDataset(hid_t dataset, Object& object) const {
    // First of all: asking a virtual dataset for its shape would open its sources.
    object.refused = StorageRefusal(dataset);
    if (!object.refused.empty()) return;
    const Handle type(H5Dget_type(dataset), H5Tclose);
    object.numbers = NumbersOf(type);
    if (object.numbers != NumberKind::kNone) {
      object.number_bytes = static_cast<uint32_t>(H5Tget_size(type));
    }
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || H5Sget_simple_extent_type(space) == H5S_NULL) {
      object.refused = "has no shape";
      return;
    }
    hsize_t lengths[H5S_MAX_RANK] = {};
    H5Sget_simple_extent_dims(space, lengths, nullptr);
    object.shape.assign(lengths, lengths + rank);
    // A contiguous dataset's storage is what it says, so the file's size counts too.
    const uint64_t stored = std::min<uint64_t>(H5Dget_storage_size(dataset), file_bytes_);
    if (object.numbers != NumberKind::kNone && !CanHold(stored, object)) {
      object.refused = "says that it has more numbers than the file can hold";
    }
  }

  absl::Status VisitAttributes(hid_t object, size_t at) {
    Place place{this, "", 0, at, absl::OkStatus()};
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, OnAttribute, &place) < 0) {
      return absl::DataLossError(
          StrCat("the attributes of ", Shown(inventory_[at].path), " cannot be listed"));
    }
    return place.status;
  }

  static herr_t OnAttribute(hid_t object, const char* name, const H5A_info_t*, void* data) {
    Place& place = *static_cast<Place*>(data);
    return Within(place,
                  [&] { return place.walker->VisitAttribute(object, name, place.object); });
  }

  absl::Status VisitAttribute(hid_t object, const char* name, size_t at) {
    if (++attributes_ > kMostAttributes) {
      return TooLarge(StrCat("more than ", kMostAttributes, " attributes"));
    }
    Attribute attribute;
    attribute.name = name;
    const Handle opened(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    if (opened.ok()) ReadAttribute(opened, attribute);
    text_ += attribute.name.size() + attribute.text.size();
    if (text_ > kMostText) return TooLarge("more text than 16 MiB");
    inventory_[at].attributes.push_back(std::move(attribute));
    return absl::OkStatus();
  }

  static void ReadAttribute(hid_t opened, Attribute& attribute) {
    const Handle type(H5Aget_type(opened), H5Tclose);
    const Handle space(H5Aget_space(opened), H5Sclose);
    const bool single = H5Sget_simple_extent_npoints(space) == 1;
    if (H5Tget_class(type) == H5T_STRING) {
      if (single) ReadText(opened, type, attribute);
      return;
    }
    const NumberKind numbers = NumbersOf(type);
    if (numbers == NumberKind::kNone) return;
    attribute.kind = Attribute::Kind::kNumbers;
    if (!single || H5Aread(opened, H5T_NATIVE_DOUBLE, &attribute.number) < 0) return;
    attribute.kind = Attribute::Kind::kNumber;
    uint64_t whole = 0;
    if (numbers == NumberKind::kInteger && H5Aread(opened, H5T_NATIVE_UINT64, &whole) >= 0) {
      attribute.whole = whole;
    }
  }

  static void ReadText(hid_t opened, hid_t type, Attribute& attribute) {
    if (H5Tis_variable_str(type) > 0) {
      const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
      H5Tset_size(memory, H5T_VARIABLE);
      H5Tset_cset(memory, H5Tget_cset(type));
      char* text = nullptr;
      if (H5Aread(opened, memory, &text) < 0) return;
      const std::string_view read = text == nullptr ? "" : text;
      if (read.size() <= kMostOneText) {
        attribute.text = read;
        attribute.kind = Attribute::Kind::kText;
      }
      H5free_memory(text);
      return;
    }
    const size_t bytes = H5Tget_size(type);
    if (bytes == 0 || bytes > kMostOneText) return;
    std::string text(bytes, '\0');
    if (H5Aread(opened, type, text.data()) < 0) return;
    attribute.text = text.substr(0, text.find('\0'));
    attribute.kind = Attribute::Kind::kText;
  }

  const uint64_t file_bytes_;
  Inventory inventory_;
  size_t attributes_ = 0, text_ = 0;
};

bool FitsChunk(const std::vector<uint64_t>& lengths) {
  const auto count = CountOf(lengths);
  return count && *count > 0 && *count <= kMostChunkBytes / kMostNumberBytes;
}

std::string FilterRefusal(hid_t create) {
  const int filters = H5Pget_nfilters(create);
  if (filters < 0) return "has filters that cannot be listed";
  bool deflate = false, shuffle = false;
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(create, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &config);
    // One each: deflate upon deflate packs a million bytes into one.
    bool* const seen = filter == H5Z_FILTER_DEFLATE   ? &deflate
                       : filter == H5Z_FILTER_SHUFFLE ? &shuffle
                                                      : nullptr;
    if (seen == nullptr || std::exchange(*seen, true)) {
      return StrCat("is stored through filter ", filter,
                    "; deflate and shuffle are read, each once (h5repack -f SHUF -f GZIP=4)");
    }
  }
  return "";
}

}  // namespace

std::string StorageRefusal(hid_t dataset) {
  const Handle create(H5Dget_create_plist(dataset), H5Pclose);
  if (!create.ok()) return "has a storage that cannot be read";
  const H5D_layout_t layout = H5Pget_layout(create);
  if (layout == H5D_VIRTUAL) return "is a virtual dataset: its numbers lie in other files";
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
    return "has a storage of an unknown kind";
  }
  if (H5Pget_external_count(create) != 0) return "has external storage: its numbers lie elsewhere";
  if (layout == H5D_CHUNKED) {
    hsize_t lengths[H5S_MAX_RANK] = {};
    const int rank = H5Pget_chunk(create, H5S_MAX_RANK, lengths);
    if (rank < 1 || !FitsChunk({lengths, lengths + rank})) return "has chunks of more than 256 MiB";
  }
  return FilterRefusal(create);
}

absl::StatusOr<Inventory> Walk(hid_t file, uint64_t file_bytes) {
  Walker walker(file_bytes);
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  if (!root.ok()) return absl::DataLossError("the file's root cannot be opened");
  if (const absl::Status status = walker.Visit(root, "/", 0); !status.ok()) return status;
  return walker.Take();
}

}  // namespace gridsweep::hdf5

#include "sweepctl/hdf5_maps.h"

#include <hdf5.h>

#include <filesystem>

#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

constexpr int kSmallestMap = 4;  // as GridScorer needs
constexpr int kLargestMap = 512;

// Closes an HDF5 identifier.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

std::string Shape(const std::vector<hsize_t>& dims) {
  std::string text = "[";
  for (const hsize_t d : dims) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
  return text + "]";
}

}  // namespace

struct Hdf5Visitor {
  static herr_t Visit(hid_t object, const char* name, const H5O_info_t* info, void* self) {
    if (info->type != H5O_TYPE_DATASET) return 0;
    auto& maps = *static_cast<Hdf5Maps*>(self);
    const Handle dataset(H5Dopen2(object, name, H5P_DEFAULT), H5Dclose);
    if (dataset < 0) {
      maps.skipped_.push_back({name, "cannot be opened"});
      return 0;
    }
    const Handle space(H5Dget_space(dataset), H5Sclose);
    const Handle type(H5Dget_type(dataset), H5Tclose);
    std::vector<hsize_t> dims(std::max(0, H5Sget_simple_extent_ndims(space)));
    if (!dims.empty()) H5Sget_simple_extent_dims(space, dims.data(), nullptr);
    const H5T_class_t kind = H5Tget_class(type);
    std::string why;
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
      why = "does not hold numbers";
    } else if (dims.size() != 3 || dims[1] != dims[2]) {
      why = StrCat("has shape ", Shape(dims), ", not [units, n, n]");
    } else if (dims[1] < kSmallestMap || dims[1] > kLargestMap) {
      why = StrCat("has maps of ", dims[1], " bins; ", kSmallestMap, " to ", kLargestMap,
                   " can be scored");
    } else if (dims[0] == 0) {
      why = "has no units";
    }
    if (why.empty()) {
      maps.stacks_.push_back({name, dims[0], static_cast<int>(dims[1])});
    } else {
      maps.skipped_.push_back({name, why});
    }
    return 0;
  }
};

absl::StatusOr<std::unique_ptr<Hdf5Maps>> Hdf5Maps::Open(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return absl::NotFoundError(StrCat(file, ": there is no such file"));
  }
  // The library prints its own stack of errors otherwise.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  auto maps = std::unique_ptr<Hdf5Maps>(new Hdf5Maps);
  maps->path_ = file;
  maps->file_ = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (maps->file_ < 0) {
    return absl::InvalidArgumentError(StrCat(file, ": is not an HDF5 file that can be read"));
  }
  if (H5Ovisit2(maps->file_, H5_INDEX_NAME, H5_ITER_INC, Hdf5Visitor::Visit, maps.get(),
                H5O_INFO_BASIC) < 0) {
    return absl::InvalidArgumentError(StrCat(file, ": its list of datasets cannot be read"));
  }
  return maps;
}

Hdf5Maps::~Hdf5Maps() {
  if (file_ >= 0) H5Fclose(file_);
}

absl::StatusOr<MapStack> Hdf5Maps::Find(std::string name) const {
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  std::string known;
  for (const MapStack& stack : stacks_) {
    if (stack.name == name) return stack;
    known += (known.empty() ? "" : ", ") + stack.name;
  }
  for (const SkippedDataset& skipped : skipped_) {
    if (skipped.name == name) {
      return absl::InvalidArgumentError(StrCat(path_, ": ", name, " ", skipped.why));
    }
  }
  return absl::NotFoundError(StrCat(path_, ": has no dataset \"", name,
                                    "\"; with ratemaps: ", known.empty() ? "none" : known));
}

absl::Status Hdf5Maps::NoStacks() const {
  return absl::InvalidArgumentError(
      StrCat(path_, ": holds no ratemaps: a dataset of numbers [units, n, n] is needed",
             skipped_.empty() ? " and the file has no dataset" : ""));
}

absl::StatusOr<std::vector<double>> Hdf5Maps::Read(const MapStack& stack, size_t first,
                                                   size_t count) const {
  const Handle dataset(H5Dopen2(file_, stack.name.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const auto n = static_cast<hsize_t>(stack.nbins);
  const hsize_t start[3] = {first, 0, 0};
  const hsize_t size[3] = {count, n, n};
  const Handle memory(H5Screate_simple(3, size, nullptr), H5Sclose);
  std::vector<double> values(count * n * n);
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, size, nullptr) < 0 ||
      H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values.data()) < 0) {
    return absl::DataLossError(StrCat(path_, ": ", stack.name, ": cannot be read"));
  }
  return values;
}

}  // namespace gridsweep::sweepctl

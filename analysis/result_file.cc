#include "analysis/result_file.h"

#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

// An HDF5 identifier, closed with its own function.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// HDF5 prints its error stack to stderr unless told otherwise, thread by thread.
void Quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

bool Exists(hid_t file, const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    if (H5Lexists(file, path.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

bool IsSingle(hid_t attribute) {
  const Handle space(H5Aget_space(attribute), H5Sclose);
  return H5Sget_simple_extent_npoints(space) == 1;
}

// Whether the file can hold all numbers of a dataset: deflate packs 1032 bytes into one. What it
// cannot hold is given no memory, and a product of lengths that wraps around is none.
bool HoldsAll(hid_t dataset, hid_t space) {
  hsize_t lengths[H5S_MAX_RANK] = {};
  const int rank = H5Sget_simple_extent_dims(space, lengths, nullptr);
  hsize_t room = (H5Dget_storage_size(dataset) + 1) * 1100;
  for (int i = 0; i < rank; ++i) {
    if (lengths[i] > room) return false;
    room /= std::max(lengths[i], hsize_t{1});
  }
  return rank >= 0;
}

absl::Status Unreadable(const std::string& what) {
  return absl::DataLossError(StrCat("the result file's ", what, " cannot be read"));
}

}  // namespace

absl::StatusOr<ResultFile> ResultFile::Open(const std::filesystem::path& path) {
  Quiet();
  if (!std::filesystem::exists(path)) {
    return absl::NotFoundError(StrCat("there is no file ", path.string()));
  }
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return absl::DataLossError(StrCat(path.string(), " is no readable HDF5 file"));
  return ResultFile(file);
}

ResultFile::ResultFile(ResultFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

ResultFile::~ResultFile() {
  if (file_ >= 0) H5Fclose(file_);
}

absl::StatusOr<std::vector<float>> ResultFile::Maps(int nbins, std::optional<uint32_t> unit) const {
  Quiet();
  const std::string path = StrCat("/ratemaps/n", nbins);
  if (!Exists(file_, path)) return absl::NotFoundError(StrCat("the result file has no ", path));
  const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  hsize_t shape[3] = {};
  if (H5Sget_simple_extent_ndims(space) != 3) return Unreadable(path);
  H5Sget_simple_extent_dims(space, shape, nullptr);
  const auto side = static_cast<hsize_t>(nbins);
  if (shape[1] != side || shape[2] != side) {
    return absl::NotFoundError(StrCat("the maps of this box have ", shape[1], " x ", shape[2],
                                      " bins, not ", nbins, " x ", nbins));
  }
  if (unit && *unit >= shape[0]) {
    return absl::NotFoundError(StrCat(path, " has ", shape[0], " units, not unit ", *unit));
  }
  if (!unit && !HoldsAll(dataset, space)) return Unreadable(path);
  const hsize_t start[3] = {unit.value_or(0), 0, 0}, count[3] = {unit ? 1 : shape[0], side, side};
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
  const Handle memory(H5Screate_simple(3, count, nullptr), H5Sclose);
  std::vector<float> values(count[0] * side * side);
  if (H5Dread(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data()) < 0) {
    return Unreadable(path);
  }
  return values;
}

absl::StatusOr<std::vector<double>> ResultFile::Numbers(const std::string& dataset_path) const {
  Quiet();
  if (!Exists(file_, dataset_path)) {
    return absl::NotFoundError(StrCat("the result file has no ", dataset_path));
  }
  const Handle dataset(H5Dopen2(file_, dataset_path.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (count < 0 || !HoldsAll(dataset, space)) return Unreadable(dataset_path);
  std::vector<double> values(static_cast<size_t>(count));
  if (count > 0 &&
      H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    return Unreadable(dataset_path);
  }
  return values;
}

double ResultFile::Metric(const std::string& name) const {
  Quiet();
  double value = std::nan("");
  if (!Exists(file_, "/metrics")) return value;
  const Handle group(H5Gopen2(file_, "/metrics", H5P_DEFAULT), H5Gclose);
  if (H5Aexists(group, name.c_str()) <= 0) return value;
  const Handle attribute(H5Aopen(group, name.c_str(), H5P_DEFAULT), H5Aclose);
  if (IsSingle(attribute)) H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
  return value;
}

absl::StatusOr<std::string> ResultFile::TextAttribute(const std::string& name) const {
  Quiet();
  if (H5Aexists(file_, name.c_str()) <= 0) {
    return absl::NotFoundError(StrCat("the result file has no attribute ", name));
  }
  const Handle attribute(H5Aopen(file_, name.c_str(), H5P_DEFAULT), H5Aclose);
  const Handle type(H5Aget_type(attribute), H5Tclose);
  if (H5Tget_class(type) != H5T_STRING || !IsSingle(attribute)) {
    return Unreadable("attribute " + name);
  }
  if (H5Tis_variable_str(type) > 0) {
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    char* text = nullptr;
    if (H5Aread(attribute, memory, &text) < 0 || text == nullptr) {
      return Unreadable("attribute " + name);
    }
    std::string value(text);
    H5free_memory(text);
    return value;
  }
  std::string value(H5Tget_size(type), '\0');
  if (H5Aread(attribute, type, value.data()) < 0) return Unreadable("attribute " + name);
  return value.substr(0, value.find('\0'));
}

}  // namespace gridsweep::analysis

#include "worker/hdf5_file.h"

#include <hdf5.h>

#include <algorithm>
#include <optional>

#include "common/strings.h"

namespace gridsweep::worker {
namespace {

constexpr unsigned kDeflateLevel = 4;
// Ratemaps are read a few at a time: small chunks of units. The rest is read whole.
constexpr hsize_t kMapsPerChunk = 16;
constexpr hsize_t kRowsPerChunk = 4096;
constexpr size_t kGrowBy = 1 << 20;

// Failures come back as results, not as text on stderr. (The setting belongs to
// the calling thread.)
void Quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

// An HDF5 identifier that closes itself.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& what) : id_(id), close_(close) {
    if (id < 0) throw Hdf5Error(what);
  }
  ~Handle() { close_(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void Check(herr_t result, const std::string& what) {
  if (result < 0) throw Hdf5Error(what);
}

// A memory file has no other identity than its name, so that each needs its own: the address of
// something of its owner's. The name is neither opened nor stored.
std::string NameOf(const void* owner) {
  return StrCat("memory-", reinterpret_cast<uintptr_t>(owner));
}

void WriteAttribute(hid_t object, const std::string& name, hid_t type, const Handle& space,
                    const void* value) {
  Handle attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose, "create attribute " + name);
  Check(H5Awrite(attribute.get(), type, value), "write attribute " + name);
}

void WriteText(hid_t object, const std::string& name, const std::string& text) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  Check(H5Tset_size(type.get(), H5T_VARIABLE), "string type");
  Check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "string type");
  Handle space(H5Screate(H5S_SCALAR), H5Sclose, "scalar");
  const char* value = text.c_str();
  WriteAttribute(object, name, type.get(), space, &value);
}

void WriteNumber(hid_t object, const std::string& name, hid_t type, const void* value) {
  Handle space(H5Screate(H5S_SCALAR), H5Sclose, "scalar");
  WriteAttribute(object, name, type, space, value);
}

}  // namespace

struct Hdf5Writer::Impl {
  Impl() {
    Quiet();
    Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
    Check(H5Pset_fapl_core(access.get(), kGrowBy, false), "memory file");
    // The oldest format: H5Fget_file_image breaks the checksum of newer superblocks.
    Check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18),
          "version bounds");
    Handle create(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "file creation");
    Check(H5Pset_obj_track_times(create.get(), false), "times off");
    file.emplace(H5Fcreate(NameOf(this).c_str(), H5F_ACC_TRUNC, create.get(), access.get()),
                 H5Fclose, "create file");
  }
  hid_t root() const { return file->get(); }

  // Compressed in chunks of so many rows; 0: as it is.
  void Write(const std::string& name, hid_t stored, hid_t native, const void* values,
             const Hdf5Shape& lengths, hsize_t rows_per_chunk, const std::string& unit) {
    const std::vector<hsize_t> shape(lengths.begin(), lengths.end());
    Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose,
                 "space of " + name);
    Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "dataset creation");
    Check(H5Pset_obj_track_times(create.get(), false), "times off");
    if (rows_per_chunk > 0) {
      std::vector<hsize_t> chunk = shape;
      chunk[0] = std::min(chunk[0], rows_per_chunk);
      Check(H5Pset_chunk(create.get(), static_cast<int>(chunk.size()), chunk.data()), "chunk");
      Check(H5Pset_shuffle(create.get()), "shuffle");
      Check(H5Pset_deflate(create.get(), kDeflateLevel), "deflate");
    }
    Handle dataset(H5Dcreate2(root(), name.c_str(), stored, space.get(), H5P_DEFAULT, create.get(),
                              H5P_DEFAULT),
                   H5Dclose, "create " + name);
    Check(H5Dwrite(dataset.get(), native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write " + name);
    WriteText(dataset.get(), "unit", unit);
  }

  std::optional<Handle> file;
};

Hdf5Writer::Hdf5Writer() : impl_(std::make_unique<Impl>()) {}
Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::Text(const std::string& name, const std::string& text) {
  WriteText(impl_->root(), name, text);
}
void Hdf5Writer::Number(const std::string& name, double value) {
  WriteNumber(impl_->root(), name, H5T_NATIVE_DOUBLE, &value);
}
void Hdf5Writer::Number(const std::string& name, int64_t value) {
  WriteNumber(impl_->root(), name, H5T_NATIVE_INT64, &value);
}
void Hdf5Writer::Number(const std::string& name, uint64_t value) {
  WriteNumber(impl_->root(), name, H5T_NATIVE_UINT64, &value);
}
void Hdf5Writer::Number(const std::string& name, uint32_t value) {
  WriteNumber(impl_->root(), name, H5T_NATIVE_UINT32, &value);
}

void Hdf5Writer::Group(const std::string& name,
                       const std::vector<std::pair<std::string, double>>& attributes) {
  Handle create(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "group creation");
  Check(H5Pset_obj_track_times(create.get(), false), "times off");
  Handle group(H5Gcreate2(impl_->root(), name.c_str(), H5P_DEFAULT, create.get(), H5P_DEFAULT),
               H5Gclose, "create group " + name);
  for (const auto& [key, value] : attributes) {
    WriteNumber(group.get(), key, H5T_NATIVE_DOUBLE, &value);
  }
}

void Hdf5Writer::Dataset(const std::string& name, std::span<const double> values,
                         const Hdf5Shape& shape, const std::string& unit) {
  impl_->Write(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), shape, kRowsPerChunk, unit);
}
void Hdf5Writer::Dataset(const std::string& name, std::span<const float> values,
                         const Hdf5Shape& shape, const std::string& unit) {
  impl_->Write(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), shape, kMapsPerChunk, unit);
}
void Hdf5Writer::Dataset(const std::string& name, std::span<const int64_t> values,
                         const Hdf5Shape& shape, const std::string& unit) {
  impl_->Write(name, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), shape, kRowsPerChunk, unit);
}
void Hdf5Writer::Dataset(const std::string& name, std::span<const uint64_t> values,
                         const Hdf5Shape& shape, const std::string& unit) {
  impl_->Write(name, H5T_STD_U64LE, H5T_NATIVE_UINT64, values.data(), shape, kRowsPerChunk, unit);
}
void Hdf5Writer::Plain(const std::string& name, std::span<const float> values,
                       const Hdf5Shape& shape, const std::string& unit) {
  impl_->Write(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), shape, 0, unit);
}

void Hdf5Writer::NumbersAttribute(const std::string& dataset, const std::string& name,
                                  std::span<const double> values) {
  Handle object(H5Dopen2(impl_->root(), dataset.c_str(), H5P_DEFAULT), H5Dclose, "open " + dataset);
  const hsize_t n = values.size();
  Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose, "attribute space");
  WriteAttribute(object.get(), name, H5T_NATIVE_DOUBLE, space, values.data());
}

std::string Hdf5Writer::Bytes() const {
  Check(H5Fflush(impl_->root(), H5F_SCOPE_GLOBAL), "flush");
  const ssize_t size = H5Fget_file_image(impl_->root(), nullptr, 0);
  if (size < 0) throw Hdf5Error("size of file image");
  std::string bytes(static_cast<size_t>(size), '\0');
  if (H5Fget_file_image(impl_->root(), bytes.data(), bytes.size()) != size) {
    throw Hdf5Error("file image");
  }
  return bytes;
}

}  // namespace gridsweep::worker

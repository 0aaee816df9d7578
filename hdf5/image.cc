#include "hdf5/image.h"

#include <hdf5.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"
#include "hdf5/handle.h"
#include "hdf5/walk.h"

namespace gridsweep::hdf5 {
namespace {

constexpr size_t kGrowBy = 1 << 20;
constexpr uint64_t kBytesAtOnce = 4 << 20;
constexpr uint64_t kMostRowBytes = 256 << 20;

// A property list hands its bytes on as they are: nothing writes to a file that is only read.
void* Lend(size_t, H5FD_file_image_op_t, void* bytes) { return bytes; }
void* CopyNothing(void* to, const void*, size_t, H5FD_file_image_op_t, void*) { return to; }
herr_t FreeNothing(void*, H5FD_file_image_op_t, void*) { return 0; }
void* SameBytes(void* bytes) { return bytes; }
herr_t KeepBytes(void*) { return 0; }

// A memory file has no other identity than its name, so that each needs its own: the address of
// its bytes. HDF5 makes sure that no file has it; absolute, else it would ask for the directory.
hid_t OpenBytes(std::string_view bytes) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  char* const start = const_cast<char*>(bytes.data());
  H5FD_file_image_callbacks_t callbacks = {Lend,        CopyNothing, nullptr, FreeNothing,
                                           SameBytes, KeepBytes,   start};
  if (H5Pset_fapl_core(access, kGrowBy, false) < 0 ||
      H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
      H5Pset_file_image(access, start, bytes.size()) < 0) {
    return -1;
  }
  const std::string name = StrCat("/memory-", reinterpret_cast<uintptr_t>(start));
  return H5Fopen(name.c_str(), H5F_ACC_RDONLY, access);
}

hid_t MemoryType(NumberType type) {
  switch (type) {
    case NumberType::kFloat:
      return H5T_NATIVE_FLOAT;
    case NumberType::kDouble:
      return H5T_NATIVE_DOUBLE;
    case NumberType::kUint64:
      return H5T_NATIVE_UINT64;
  }
  return -1;
}

// Numbers in a row; none where the dataset has no rows to speak of.
uint64_t RowCount(const Object& object) {
  if (object.shape.empty()) return 1;
  return CountOf({object.shape.begin() + 1, object.shape.end()}).value_or(0);
}

// Keeps the bytes of an image.
class OwnedImage : public Source {
 public:
  explicit OwnedImage(std::string bytes) : bytes_(std::move(bytes)) {}
  absl::Status Open() {
    ASSIGN_OR_RETURN(image_, Image::Open(bytes_));
    return absl::OkStatus();
  }
  const Inventory& inventory() const { return image_->inventory(); }
  absl::Status Read(uint32_t object, NumberType type, uint64_t first, uint64_t rows,
                    std::span<char> into) override {
    return image_->Read(object, type, first, rows, into);
  }

 private:
  const std::string bytes_;
  std::unique_ptr<Image> image_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Image>> Image::Open(std::string_view bytes) {
  Quiet();
  H5PLset_loading_state(0);  // no filter of a file has code loaded
  if (bytes.empty()) return absl::DataLossError("it is empty");
  const hid_t file = OpenBytes(bytes);
  if (file < 0) return absl::DataLossError("it is no HDF5 file that can be read");
  std::unique_ptr<Image> image(new Image(file));
  ASSIGN_OR_RETURN(image->inventory_, Walk(file, bytes.size()));
  return image;
}

Image::~Image() { H5Fclose(file_); }

uint64_t Image::RowsAtOnce(uint32_t object, NumberType type) const {
  if (object >= inventory_.size()) return 1;
  const Object& what = inventory_[object];
  const uint64_t row_bytes = std::max<uint64_t>(RowCount(what) * SizeOf(type), 1);
  const uint64_t rows = std::max<uint64_t>(kBytesAtOnce / row_bytes, 1);
  const Handle dataset(H5Dopen2(file_, what.path.c_str(), H5P_DEFAULT), H5Dclose);
  const Handle create(H5Dget_create_plist(dataset), H5Pclose);
  hsize_t chunk[H5S_MAX_RANK] = {1};
  if (H5Pget_layout(create) == H5D_CHUNKED) H5Pget_chunk(create, H5S_MAX_RANK, chunk);
  const uint64_t step = std::max<uint64_t>(chunk[0], 1);
  const uint64_t whole = (rows + step - 1) / step * step;
  return whole > kMostRowBytes / row_bytes ? rows : whole;
}

absl::Status Image::Read(uint32_t object, NumberType type, uint64_t first, uint64_t rows,
                         std::span<char> into) const {
  Quiet();
  if (object >= inventory_.size()) return absl::DataLossError("there is no such object");
  const Object& what = inventory_[object];
  const auto unreadable = [&](std::string_view why) {
    return absl::DataLossError(StrCat(Shown(what.path), " ", why));
  };
  if (!what.refused.empty()) return unreadable(what.refused);
  if (what.kind != Object::Kind::kDataset || what.numbers == NumberKind::kNone) {
    return unreadable("does not hold numbers");
  }
  const uint64_t all = what.shape.empty() ? 1 : what.shape.front();
  const uint64_t row_count = RowCount(what);
  if (rows == 0 || first > all || rows > all - first || row_count == 0 ||
      rows > into.size() / (row_count * SizeOf(type)) ||
      rows * row_count * SizeOf(type) != into.size()) {
    return unreadable("does not have these rows");
  }
  const Handle dataset(H5Dopen2(file_, what.path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.ok()) return unreadable("cannot be opened");
  if (const std::string refused = StorageRefusal(dataset); !refused.empty()) {
    return unreadable(refused);
  }
  const Handle space(H5Dget_space(dataset), H5Sclose);
  std::vector<hsize_t> start(what.shape.size()), count(what.shape.begin(), what.shape.end());
  if (count.empty()) {
    return H5Dread(dataset, MemoryType(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, into.data()) < 0
               ? unreadable("cannot be read")
               : absl::OkStatus();
  }
  start[0] = first;
  count[0] = rows;
  const int rank = static_cast<int>(count.size());
  const Handle memory(H5Screate_simple(rank, count.data(), nullptr), H5Sclose);
  if (H5Sget_simple_extent_ndims(space) != rank ||
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) <
          0 ||
      H5Dread(dataset, MemoryType(type), memory, space, H5P_DEFAULT, into.data()) < 0) {
    return unreadable("cannot be read");
  }
  return absl::OkStatus();
}

absl::StatusOr<File> OpenImage(std::string bytes) {
  auto source = std::make_unique<OwnedImage>(std::move(bytes));
  RETURN_IF_ERROR(source->Open());
  Inventory inventory = source->inventory();
  return File(std::move(inventory), std::move(source));
}

}  // namespace gridsweep::hdf5

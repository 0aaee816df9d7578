#include "tests/fuzz/described_file.h"

#include <hdf5.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "common/sha256.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "sweepspec/run_config_proto.h"
#include "tests/fuzz/promise.h"
#include "worker/checkpoint.h"
#include "worker/hdf5_file.h"

namespace gridsweep::fuzz {
namespace {

constexpr hsize_t kLengths[] = {
    0, 1, 2, 4, 13, 14, 20, 44, 512, 513, hsize_t{1} << 32, hsize_t{1} << 61};
constexpr hsize_t kMostWritten = 1 << 14;  // values of a dataset
constexpr hsize_t kChunk = 16;
constexpr double kNumbers[] = {0,    1,     2,      -1,  0.5,      1e3,      4294967296.0,
                               1e19, 1e300, -1e300, NAN, INFINITY, -INFINITY};
constexpr uint8_t kNoFile = 0xFF;  // the bytes are as they are
constexpr size_t kTextBytes = 8;   // of texts of fixed length

class Description {
 public:
  Description(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  uint8_t Byte() {
    if (empty()) return 0;
    --size_;
    return *data_++;
  }
  template <class T, size_t N>
  T OneOf(const T (&choices)[N]) {
    return choices[Byte() % N];
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

std::string Checkpoint() {
  worker::Checkpoint checkpoint;
  checkpoint.training.step = 3;
  checkpoint.training.parameters = {
      {.name = "w", .shape = {2, 2}, .value = {1, 2, 3, 4}, .mean = {0, 0, 0, 0}, .square = {}}};
  checkpoint.numerics_id = "cpu";
  for (worker::LearningCurve::State* curve :
       {&checkpoint.stored_curve, &checkpoint.artifact_curve}) {
    curve->losses = {{1, 0.5}, {2, 0.25}};
    curve->evaluations = {{.step = 2, .loss = 0.25, .error_cm = 10, .evaluated = true}};
    curve->last = curve->evaluations.front();
    curve->empty = false;
  }
  return *worker::EncodeCheckpoint(DescribedConfig(), checkpoint);
}

std::string Result() {
  worker::Hdf5Writer file;
  file.Text("config", "{}");
  file.Text("config_hash", "00");
  file.Group("/ratemaps");
  file.Dataset("/ratemaps/n44", std::vector<float>(2 * 44 * 44, 0.5f), {2, 44, 44}, "1");
  file.Group("/scores");
  file.Dataset("/scores/grid_score_60", std::vector<double>{0.25, 0.5}, {2}, "1");
  file.Group("/learning_curve");
  file.Dataset("/learning_curve/step", std::vector<uint64_t>{1, 2}, {2}, "1");
  file.Group("/metrics", {{"loss_mb", 0.5}});
  return file.Bytes();
}

enum class Kind { kF64, kF32, kI64, kU64, kU8, kText, kFixedText, kCompound, kOpaque };
constexpr Kind kKinds[] = {Kind::kF64,  Kind::kF32,       Kind::kI64,      Kind::kU64,   Kind::kU8,
                           Kind::kText, Kind::kFixedText, Kind::kCompound, Kind::kOpaque};

hid_t TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kF64:
      return H5Tcopy(H5T_IEEE_F64LE);
    case Kind::kF32:
      return H5Tcopy(H5T_IEEE_F32BE);
    case Kind::kI64:
      return H5Tcopy(H5T_STD_I64LE);
    case Kind::kU64:
      return H5Tcopy(H5T_STD_U64LE);
    case Kind::kU8:
      return H5Tcopy(H5T_STD_U8LE);
    case Kind::kOpaque:
      return H5Tcreate(H5T_OPAQUE, kTextBytes);
    case Kind::kCompound: {
      const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(double));
      H5Tinsert(type, "a", 0, H5T_NATIVE_DOUBLE);
      return type;
    }
    default: {
      const hid_t type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, kind == Kind::kText ? H5T_VARIABLE : kTextBytes);
      return type;
    }
  }
}

class Changes {
 public:
  Changes(hid_t file, Description& description) : file_(file), description_(description) {}

  void One() {
    const std::string path = description_.OneOf(kPaths);
    switch (description_.Byte() % 4) {
      case 0:
        H5Ldelete(file_, path.c_str(), H5P_DEFAULT);
        return;
      case 1:
        H5Ldelete(file_, path.c_str(), H5P_DEFAULT);
        H5Gclose(H5Gcreate2(file_, path.c_str(), parents_, H5P_DEFAULT, H5P_DEFAULT));
        return;
      case 2:
        H5Ldelete(file_, path.c_str(), H5P_DEFAULT);
        Dataset(path);
        return;
      default:
        Attribute(description_.Byte() % 2 == 0 ? "/" : path);
    }
  }

  ~Changes() { H5Pclose(parents_); }

 private:
  // A dataspace; `count` is what it holds.
  hid_t Space(hsize_t& count, std::vector<hsize_t>& lengths) {
    const int rank = description_.Byte() % 5;
    if (rank == 4) {
      count = 0;
      return H5Screate(H5S_NULL);
    }
    count = 1;
    for (int i = 0; i < rank; ++i) {
      lengths.push_back(description_.OneOf(kLengths));
      count = lengths.back() > kMostWritten ? kMostWritten + 1 : count * lengths.back();
    }
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, lengths.data(), nullptr);
  }

  std::string Text() {
    switch (description_.Byte() % 6) {
      case 0:
        return "";
      case 1:
        return "gridsweep checkpoint 1";
      case 2:
        return ToHex(sweepspec::ConfigHash(DescribedConfig()));
      case 3:
        return "w";
      case 4:
        return "w\n\nother";
      default:
        return "text";
    }
  }

  // `count` values of `kind` written by `write(type in memory, values)`.
  template <class Write>
  void Values(Kind kind, hsize_t count, const Write& write) {
    const hid_t type = TypeOf(kind);
    if (kind == Kind::kText || kind == Kind::kFixedText || kind == Kind::kOpaque) {
      const std::string text = Text();
      std::string fixed;
      for (hsize_t i = 0; i < count; ++i)
        fixed += (text + std::string(kTextBytes, '\0')).substr(0, kTextBytes);
      const std::vector<const char*> pointers(count, text.c_str());
      write(type, kind == Kind::kText ? static_cast<const void*>(pointers.data()) : fixed.data());
    } else {
      std::vector<double> values(count);
      double value = 0;
      for (double& each : values) {
        if (!description_.empty()) value = description_.OneOf(kNumbers);
        each = value;
      }
      write(kind == Kind::kCompound ? type : H5T_NATIVE_DOUBLE, values.data());
    }
    H5Tclose(type);
  }

  void Dataset(const std::string& path) {
    const Kind kind = description_.OneOf(kKinds);
    hsize_t count = 0;
    std::vector<hsize_t> lengths;
    const hid_t space = Space(count, lengths);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    if (description_.Byte() % 2 == 0 && !lengths.empty()) {
      std::vector<hsize_t> chunk;
      for (const hsize_t length : lengths) chunk.push_back(std::clamp<hsize_t>(length, 1, kChunk));
      H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data());
      H5Pset_deflate(create, 1);
    }
    const hid_t type = TypeOf(kind);
    const hid_t dataset =
        H5Dcreate2(file_, path.c_str(), type, space, parents_, create, H5P_DEFAULT);
    if (dataset >= 0 && count > 0 && count <= kMostWritten) {
      Values(kind, count, [&](hid_t memory, const void* values) {
        H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
      });
    }
    if (dataset >= 0) H5Dclose(dataset);
    H5Tclose(type);
    H5Pclose(create);
    H5Sclose(space);
  }

  void Attribute(const std::string& path) {
    const std::string name = description_.OneOf(kAttributes);
    const Kind kind = description_.OneOf(kKinds);
    hsize_t count = 0;
    std::vector<hsize_t> lengths;
    const hid_t space = Space(count, lengths);
    const hid_t object = H5Oopen(file_, path.c_str(), H5P_DEFAULT);
    if (object >= 0 && count * kTextBytes < 60'000) {  // HDF5 takes no larger attribute
      H5Adelete(object, name.c_str());
      const hid_t type = TypeOf(kind);
      const hid_t attribute =
          H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
      if (attribute >= 0) {
        Values(kind, count,
               [&](hid_t memory, const void* values) { H5Awrite(attribute, memory, values); });
        H5Aclose(attribute);
      }
      H5Tclose(type);
    }
    if (object >= 0) H5Oclose(object);
    H5Sclose(space);
  }

  static hid_t MakeParents() {
    const hid_t create = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(create, 1);
    return create;
  }

  const hid_t file_;
  Description& description_;
  const hid_t parents_ = MakeParents();
};

}  // namespace

science::RunConfig DescribedConfig() { return {}; }

std::string DescribedFile(const uint8_t* data, size_t size) {
  static const std::string kBases[] = {worker::Hdf5Writer().Bytes(), Checkpoint(), Result()};
  Description description(data, size);
  if (size > 0 && data[0] == kNoFile) return std::string(data + 1, data + size);
  const std::string& base = kBases[description.Byte() % std::size(kBases)];
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, false);
  H5Pset_file_image(access, const_cast<char*>(base.data()), base.size());
  const hid_t file = H5Fopen("described", H5F_ACC_RDWR, access);
  H5Pclose(access);
  Promise(file >= 0, "a file of ours can be opened");
  {
    Changes changes(file, description);
    while (!description.empty()) changes.One();
  }
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string bytes(static_cast<size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, bytes.data(), bytes.size());
  Promise(H5Fclose(file) >= 0, "the described file is closed");
  return bytes;
}

}  // namespace gridsweep::fuzz

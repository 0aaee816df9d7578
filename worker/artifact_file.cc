#include "worker/artifact_file.h"

#include <hdf5.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "common/sha256.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr unsigned kDeflateLevel = 4;
// Ratemaps are read a few at a time: small chunks of units. The rest is read whole.
constexpr hsize_t kMapsPerChunk = 16;
constexpr hsize_t kRowsPerChunk = 4096;

class Hdf5Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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

void WriteAttribute(hid_t object, const std::string& name, hid_t type, const Handle& space,
                    const void* value) {
  Handle attribute(H5Acreate2(object, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose, "create attribute " + name);
  Check(H5Awrite(attribute.get(), type, value), "write attribute " + name);
}

// Variable length and UTF-8, which h5py hands out as str.
void WriteText(hid_t object, const std::string& name, const std::string& text) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "string type");
  Check(H5Tset_size(type.get(), H5T_VARIABLE), "string type");
  Check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "string type");
  Handle space(H5Screate(H5S_SCALAR), H5Sclose, "scalar");
  const char* value = text.c_str();
  WriteAttribute(object, name, type.get(), space, &value);
}

template <typename T>
void WriteNumber(hid_t object, const std::string& name, hid_t type, T value) {
  Handle space(H5Screate(H5S_SCALAR), H5Sclose, "scalar");
  WriteAttribute(object, name, type, space, &value);
}

class File {
 public:
  File() {
    // Failures come back as exceptions, not as text on stderr. (The setting
    // belongs to the calling thread.)
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "file access");
    constexpr size_t kGrowBy = 1 << 20;
    Check(H5Pset_fapl_core(access.get(), kGrowBy, false), "memory file");
    // The oldest format: H5Fget_file_image breaks the checksum of newer superblocks.
    Check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18),
          "version bounds");
    Handle create(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "file creation");
    Check(H5Pset_obj_track_times(create.get(), false), "times off");
    // A memory file has no other identity than its name, so that each needs its
    // own: this object's address. The name is neither opened nor stored.
    const std::string name = StrCat("artifact-", reinterpret_cast<uintptr_t>(this));
    file_.emplace(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, create.get(), access.get()), H5Fclose,
                  "create file");
  }

  hid_t root() const { return file_->get(); }

  // A group; WriteAttribute and Dataset may follow.
  void Group(const std::string& name,
             const std::vector<std::pair<std::string, double>>& attributes = {}) {
    Handle create(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "group creation");
    Check(H5Pset_obj_track_times(create.get(), false), "times off");
    Handle group(H5Gcreate2(root(), name.c_str(), H5P_DEFAULT, create.get(), H5P_DEFAULT), H5Gclose,
                 "create group " + name);
    for (const auto& [key, value] : attributes) {
      WriteNumber(group.get(), key, H5T_NATIVE_DOUBLE, value);
    }
  }

  void Dataset(const std::string& name, const std::vector<double>& values,
               const std::vector<hsize_t>& shape, const std::string& unit) {
    Write(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), shape, kRowsPerChunk, unit);
  }
  void Dataset(const std::string& name, const std::vector<float>& values,
               const std::vector<hsize_t>& shape, const std::string& unit) {
    Write(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values.data(), shape, kMapsPerChunk, unit);
  }
  void Dataset(const std::string& name, const std::vector<int64_t>& values,
               const std::vector<hsize_t>& shape, const std::string& unit) {
    Write(name, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), shape, kRowsPerChunk, unit);
  }
  void Dataset(const std::string& name, const std::vector<uint64_t>& values,
               const std::vector<hsize_t>& shape, const std::string& unit) {
    Write(name, H5T_STD_U64LE, H5T_NATIVE_UINT64, values.data(), shape, kRowsPerChunk, unit);
  }

  void NumbersAttribute(const std::string& dataset, const std::string& name,
                        std::span<const double> values) {
    Handle object(H5Dopen2(root(), dataset.c_str(), H5P_DEFAULT), H5Dclose, "open " + dataset);
    const hsize_t n = values.size();
    Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose, "attribute space");
    WriteAttribute(object.get(), name, H5T_NATIVE_DOUBLE, space, values.data());
  }

  std::string Bytes() const {
    Check(H5Fflush(root(), H5F_SCOPE_GLOBAL), "flush");
    const ssize_t size = H5Fget_file_image(root(), nullptr, 0);
    if (size < 0) throw Hdf5Error("size of file image");
    std::string bytes(static_cast<size_t>(size), '\0');
    if (H5Fget_file_image(root(), bytes.data(), bytes.size()) != size) {
      throw Hdf5Error("file image");
    }
    return bytes;
  }

 private:
  void Write(const std::string& name, hid_t stored, hid_t native, const void* values,
             const std::vector<hsize_t>& shape, hsize_t rows_per_chunk, const std::string& unit) {
    Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose,
                 "space of " + name);
    Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "dataset creation");
    Check(H5Pset_obj_track_times(create.get(), false), "times off");
    std::vector<hsize_t> chunk = shape;
    chunk[0] = std::min(chunk[0], rows_per_chunk);
    Check(H5Pset_chunk(create.get(), static_cast<int>(chunk.size()), chunk.data()), "chunk");
    Check(H5Pset_shuffle(create.get()), "shuffle");
    Check(H5Pset_deflate(create.get(), kDeflateLevel), "deflate");
    Handle dataset(H5Dcreate2(root(), name.c_str(), stored, space.get(), H5P_DEFAULT, create.get(),
                              H5P_DEFAULT),
                   H5Dclose, "create " + name);
    Check(H5Dwrite(dataset.get(), native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write " + name);
    WriteText(dataset.get(), "unit", unit);
  }

  std::optional<Handle> file_;
};

void WriteRoot(const ArtifactContent& content, File& file) {
  const science::RunConfig& config = content.config;
  WriteText(file.root(), "config", sweepspec::CanonicalJson(config));
  WriteText(file.root(), "config_hash", ToHex(sweepspec::ConfigHash(config)));
  WriteText(file.root(), "numerics_id", integrator::NumericsId());
  WriteText(file.root(), "outcome",
            content.outcome == RunOutcome::kSucceeded ? "succeeded" : "diverged");
  WriteText(file.root(), "readout", science::ReadoutLabel(config));
  WriteText(file.root(), "readout_family", science::ReadoutFamily(config));
  WriteNumber(file.root(), "science_version", H5T_NATIVE_UINT32, science::kScienceVersion);
  WriteNumber(file.root(), "seed", H5T_NATIVE_INT64, config.seed);
  file.Group("/metrics", {content.run_metrics.begin(), content.run_metrics.end()});
}

void WriteCurve(const std::vector<CurvePoint>& points, File& file) {
  if (points.empty()) return;
  constexpr size_t kThresholds = science::kPublishedThresholds.size();
  std::vector<uint64_t> step;
  std::vector<double> loss, error, fraction;
  for (const CurvePoint& point : points) {
    step.push_back(point.step);
    loss.push_back(point.loss);
    error.push_back(point.error_cm);
    for (double above : point.fraction_above) fraction.push_back(point.evaluated ? above : kNaN);
  }
  const hsize_t n = points.size();
  file.Group("/learning_curve");
  file.Dataset("/learning_curve/step", step, {n}, "gradient step");
  file.Dataset("/learning_curve/loss", loss, {n}, "1");
  file.Dataset("/learning_curve/error_cm", error, {n}, "cm");
  file.Dataset("/learning_curve/fraction_above", fraction, {n, kThresholds}, "fraction of units");
  file.NumbersAttribute("/learning_curve/fraction_above", "thresholds",
                        science::kPublishedThresholds);
}

void WriteReadout(const integrator::ReadoutParameters& readout, File& file) {
  file.Group("/readout");
  const hsize_t cells = static_cast<hsize_t>(readout.cells);
  const hsize_t fields = static_cast<hsize_t>(readout.fields);
  const auto write = [&](const char* name, const std::vector<double>& values,
                         const std::vector<hsize_t>& shape, const char* unit) {
    if (!values.empty()) file.Dataset(name, values, shape, unit);
  };
  write("/readout/centers", readout.centers, {cells, fields, 2}, "m");
  write("/readout/widths", readout.widths, {cells, fields}, "m");
  write("/readout/surround_scales", readout.surround_scales, {cells, fields}, "1");
  write("/readout/linear_map", readout.linear_map, {2, cells}, "1");
  write("/readout/linear_offset", readout.linear_offset, {cells}, "1");
  write("/readout/radius_map", readout.radius_map, {cells / 2}, "1");
  write("/readout/radius_offset", readout.radius_offset, {cells / 2}, "1");
  write("/readout/preferred_angles", readout.preferred_angles, {cells / 2}, "rad");
  write("/readout/head_directions", readout.head_directions, {readout.head_directions.size()},
        "rad");
}

void WriteMaps(const UnitMaps& maps, const std::string& name, File& file) {
  const hsize_t units = static_cast<hsize_t>(maps.units), nx = static_cast<hsize_t>(maps.nx),
                ny = static_cast<hsize_t>(maps.ny);
  const std::vector<float> single(maps.ratemaps.begin(), maps.ratemaps.end());
  file.Dataset("/ratemaps/" + name, single, {units, nx, ny}, "1");
  file.Dataset("/occupancy/" + name, maps.occupancy, {nx, ny}, "visits");
}

void WriteScores(const ArtifactContent& content, File& file) {
  const hsize_t units = static_cast<hsize_t>(content.n44->units);
  file.Group("/scores");
  for (const UnitColumn& column : content.units) {
    file.Dataset(StrCat("/scores/", column.metric), column.values, {units},
                 std::string(science::FindMetric(column.metric)->unit));
  }
  file.Dataset("/scores/mask_60", content.n44->mask_60, {units, scoring::kMasks}, "1");
  file.Dataset("/scores/mask_90", content.n44->mask_90, {units, scoring::kMasks}, "1");
  file.Dataset("/scores/orientations_rad", content.n44->orientations_rad, {units, 6}, "rad");
}

void WriteChance(const ArtifactContent& content, File& file) {
  if (!content.shuffled) return;
  const ShuffledScores& shuffled = *content.shuffled;
  const hsize_t sample = shuffled.units.size();
  file.Group("/chance");
  file.Dataset("/chance/unit", shuffled.units, {sample}, "unit");
  file.Dataset("/chance/grid_score_60", shuffled.score_60,
               {sample, static_cast<hsize_t>(shuffled.shuffles)}, "1");
  file.Group("/untrained");
  file.Dataset("/untrained/grid_score_60", content.untrained_score_60,
               {content.untrained_score_60.size()}, "1");
}

}  // namespace

absl::StatusOr<std::string> EncodeArtifact(const ArtifactContent& content) {
  try {
    File file;
    WriteRoot(content, file);
    WriteCurve(content.learning_curve, file);
    WriteReadout(content.readout, file);
    if (content.n44 && content.n32 && content.n20) {
      file.Group("/ratemaps");
      file.Group("/occupancy");
      WriteMaps(*content.n44, "n44", file);
      WriteMaps(*content.n32, "n32", file);
      WriteMaps(*content.n20, "n20", file);
      WriteScores(content, file);
      WriteChance(content, file);
    }
    return file.Bytes();
  } catch (const Hdf5Error& error) {
    return absl::InternalError(StrCat("HDF5 could not ", error.what(), " of the result file"));
  }
}

}  // namespace gridsweep::worker

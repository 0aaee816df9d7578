#include "worker/checkpoint.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <set>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "sweepspec/run_config_proto.h"
#include "worker/hdf5_file.h"

namespace gridsweep::worker {
namespace {

using integrator::TrainingState;

constexpr char kFormat[] = "gridsweep checkpoint 1";
constexpr size_t kThresholds = science::kPublishedThresholds.size();
constexpr size_t kPointColumns = 4 + kThresholds;

void WritePoints(const std::string& name, const std::vector<CurvePoint>& points, Hdf5Writer& file) {
  if (points.empty()) return;
  std::vector<double> rows;
  for (const CurvePoint& point : points) {
    rows.insert(rows.end(), {static_cast<double>(point.step), point.loss, point.error_cm,
                             point.evaluated ? 1.0 : 0.0});
    rows.insert(rows.end(), point.fraction_above.begin(), point.fraction_above.end());
  }
  file.Dataset(name, rows, {points.size(), kPointColumns}, "mixed");
}

// A step or a stride, which a file holds among other numbers.
absl::StatusOr<uint64_t> Whole(const std::string& name, double number) {
  constexpr double kMost = 9007199254740992;
  if (number >= 0 && number <= kMost) return static_cast<uint64_t>(number);
  return absl::DataLossError(StrCat(name, ": ", number, " is no step of a run"));
}

absl::StatusOr<std::vector<CurvePoint>> ReadPoints(const std::string& name,
                                                   const hdf5::File& file) {
  std::vector<CurvePoint> points;
  if (!file.Has(name)) return points;
  ASSIGN_OR_RETURN(const std::vector<double> rows, file.Read<double>(name));
  if (rows.size() % kPointColumns != 0) return absl::DataLossError(name + " has another shape");
  for (size_t at = 0; at < rows.size(); at += kPointColumns) {
    ASSIGN_OR_RETURN(const uint64_t step, Whole(name, rows[at]));
    CurvePoint point{.step = step,
                     .loss = rows[at + 1],
                     .error_cm = rows[at + 2],
                     .evaluated = rows[at + 3] != 0,
                     .fraction_above = {}};
    for (size_t i = 0; i < kThresholds; ++i) point.fraction_above[i] = rows[at + 4 + i];
    points.push_back(point);
  }
  return points;
}

void WriteCurve(const std::string& group, const LearningCurve::State& curve, Hdf5Writer& file) {
  file.Group(group, {{"stride", static_cast<double>(curve.stride)},
                     {"evaluation_stride", static_cast<double>(curve.evaluation_stride)},
                     {"evaluation_count", static_cast<double>(curve.evaluation_count)},
                     {"empty", curve.empty ? 1.0 : 0.0}});
  std::vector<double> losses;
  for (const auto& [step, loss] : curve.losses) {
    losses.insert(losses.end(), {static_cast<double>(step), loss});
  }
  if (!losses.empty()) file.Dataset(group + "/losses", losses, {curve.losses.size(), 2}, "mixed");
  WritePoints(group + "/evaluations", curve.evaluations, file);
  WritePoints(group + "/last", {curve.last}, file);
}

absl::StatusOr<LearningCurve::State> ReadCurve(const std::string& group, const hdf5::File& file) {
  LearningCurve::State curve;
  ASSIGN_OR_RETURN(const double stride, file.Number(group, "stride"));
  ASSIGN_OR_RETURN(const double evaluation_stride, file.Number(group, "evaluation_stride"));
  ASSIGN_OR_RETURN(const double count, file.Number(group, "evaluation_count"));
  ASSIGN_OR_RETURN(const double empty, file.Number(group, "empty"));
  ASSIGN_OR_RETURN(curve.stride, Whole(group + ".stride", stride));
  ASSIGN_OR_RETURN(curve.evaluation_stride, Whole(group + ".evaluation_stride", evaluation_stride));
  ASSIGN_OR_RETURN(curve.evaluation_count, Whole(group + ".evaluation_count", count));
  if (curve.stride == 0 || curve.evaluation_stride == 0) {
    return absl::DataLossError(group + " has impossible strides");
  }
  curve.empty = empty != 0;
  if (file.Has(group + "/losses")) {
    ASSIGN_OR_RETURN(const std::vector<double> losses, file.Read<double>(group + "/losses"));
    for (size_t at = 0; at + 1 < losses.size(); at += 2) {
      ASSIGN_OR_RETURN(const uint64_t step, Whole(group + "/losses", losses[at]));
      curve.losses.emplace(step, losses[at + 1]);
    }
  }
  ASSIGN_OR_RETURN(curve.evaluations, ReadPoints(group + "/evaluations", file));
  ASSIGN_OR_RETURN(const std::vector<CurvePoint> last, ReadPoints(group + "/last", file));
  if (last.size() != 1) return absl::DataLossError(group + " lacks its last point");
  curve.last = last.front();
  return curve;
}

Hdf5Shape Shape(const std::vector<int64_t>& lengths) { return {lengths.begin(), lengths.end()}; }

void WriteTraining(const TrainingState& training, Hdf5Writer& file) {
  for (const char* group : {"/weights", "/optimizer", "/optimizer/mean", "/optimizer/square"}) {
    file.Group(group);
  }
  for (const TrainingState::Parameter& parameter : training.parameters) {
    const Hdf5Shape shape = Shape(parameter.shape);
    file.Plain("/weights/" + parameter.name, parameter.value, shape, "1");
    if (!parameter.mean.empty()) {
      file.Plain("/optimizer/mean/" + parameter.name, parameter.mean, shape, "1");
    }
    if (!parameter.square.empty()) {
      file.Plain("/optimizer/square/" + parameter.name, parameter.square, shape, "1");
    }
  }
}

// The order of parameters is the network's, which HDF5 does not keep: an attribute names them.
std::string Names(const TrainingState& training) {
  return absl::StrJoin(training.parameters, "\n",
                       [](std::string* out, const auto& parameter) { *out += parameter.name; });
}

absl::StatusOr<TrainingState> ReadTraining(const hdf5::File& file) {
  TrainingState training;
  ASSIGN_OR_RETURN(training.step, file.Whole("/", "step"));
  ASSIGN_OR_RETURN(const std::string names, file.Text("/", "parameters"));
  // One name may stand there many times, and one byte of a file be many numbers.
  uint64_t room = hdf5::File::kMostBytes;
  const auto read = [&](const std::string& path) -> absl::StatusOr<std::vector<float>> {
    ASSIGN_OR_RETURN(std::vector<float> values, file.Read<float>(path, room));
    room -= values.size() * sizeof(float);
    return values;
  };
  for (const absl::string_view name : absl::StrSplit(names, '\n', absl::SkipEmpty())) {
    TrainingState::Parameter parameter;
    parameter.name = std::string(name);
    const std::string path = "/weights/" + parameter.name;
    ASSIGN_OR_RETURN(parameter.value, read(path));
    const std::vector<uint64_t>& shape = file.Find(path)->shape;
    parameter.shape.assign(shape.begin(), shape.end());
    for (auto [group, values] : {std::pair("/optimizer/mean/", &parameter.mean),
                                 std::pair("/optimizer/square/", &parameter.square)}) {
      if (!file.Has(group + parameter.name)) continue;
      ASSIGN_OR_RETURN(*values, read(group + parameter.name));
    }
    training.parameters.push_back(std::move(parameter));
  }
  return training;
}

}  // namespace

absl::StatusOr<std::string> EncodeCheckpoint(const science::RunConfig& config,
                                             const Checkpoint& checkpoint) {
  try {
    Hdf5Writer file;
    file.Text("format", kFormat);
    file.Text("config_hash", ToHex(sweepspec::ConfigHash(config)));
    file.Text("numerics_id", checkpoint.numerics_id);
    file.Text("parameters", Names(checkpoint.training));
    file.Number("science_version", science::kScienceVersion);
    file.Number("step", checkpoint.training.step);
    file.Number("loss", checkpoint.loss);
    file.Number("compute_seconds", checkpoint.compute_seconds);
    WriteTraining(checkpoint.training, file);
    file.Group("/curves");
    WriteCurve("/curves/stored", checkpoint.stored_curve, file);
    WriteCurve("/curves/artifact", checkpoint.artifact_curve, file);
    return file.Bytes();
  } catch (const Hdf5Error& error) {
    return absl::InternalError(StrCat("HDF5 could not ", error.what(), " of the checkpoint"));
  }
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(const science::RunConfig& config,
                                            const hdf5::File& file) {
  ASSIGN_OR_RETURN(const std::string format, file.Text("/", "format"));
  if (format != kFormat) {
    return absl::FailedPreconditionError(StrCat("the checkpoint is of format \"", format,
                                                "\", this worker reads \"", kFormat, "\""));
  }
  ASSIGN_OR_RETURN(const uint64_t version, file.Whole("/", "science_version"));
  if (version != science::kScienceVersion) {
    return absl::FailedPreconditionError(StrCat("the checkpoint is of science version ", version,
                                                ", this worker computes version ",
                                                science::kScienceVersion));
  }
  ASSIGN_OR_RETURN(const std::string hash, file.Text("/", "config_hash"));
  if (hash != ToHex(sweepspec::ConfigHash(config))) {
    return absl::FailedPreconditionError(
        StrCat("the checkpoint is of configuration ", hash, ", not of this run's"));
  }
  Checkpoint checkpoint;
  ASSIGN_OR_RETURN(checkpoint.numerics_id, file.Text("/", "numerics_id"));
  ASSIGN_OR_RETURN(checkpoint.loss, file.Number("/", "loss"));
  ASSIGN_OR_RETURN(checkpoint.compute_seconds, file.Number("/", "compute_seconds"));
  ASSIGN_OR_RETURN(checkpoint.training, ReadTraining(file));
  ASSIGN_OR_RETURN(checkpoint.stored_curve, ReadCurve("/curves/stored", file));
  ASSIGN_OR_RETURN(checkpoint.artifact_curve, ReadCurve("/curves/artifact", file));
  return checkpoint;
}

std::string MixNumerics(std::string_view before, std::string_view now) {
  std::set<std::string> ids;
  for (const std::string_view side : {before, now}) {
    absl::string_view id(side.data(), side.size());
    if (absl::ConsumePrefix(&id, "mixed(")) absl::ConsumeSuffix(&id, ")");
    for (const absl::string_view part : absl::StrSplit(id, '|')) ids.insert(std::string(part));
  }
  if (ids.size() == 1) return *ids.begin();
  return StrCat("mixed(", absl::StrJoin(ids, "|"), ")");
}

}  // namespace gridsweep::worker

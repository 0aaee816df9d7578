#include "worker/artifact_file.h"

#include <limits>

#include "common/sha256.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"
#include "worker/hdf5_file.h"

namespace gridsweep::worker {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void WriteRoot(const ArtifactContent& content, Hdf5Writer& file) {
  const science::RunConfig& config = content.config;
  file.Text("config", sweepspec::CanonicalJson(config));
  file.Text("config_hash", ToHex(sweepspec::ConfigHash(config)));
  file.Text("numerics_id", content.numerics_id);
  file.Text("outcome", content.outcome == RunOutcome::kSucceeded ? "succeeded" : "diverged");
  file.Text("readout", science::ReadoutLabel(config));
  file.Text("readout_family", science::ReadoutFamily(config));
  file.Number("science_version", science::kScienceVersion);
  file.Number("seed", config.seed);
  file.Group("/metrics", {content.run_metrics.begin(), content.run_metrics.end()});
}

void WriteCurve(const std::vector<CurvePoint>& points, Hdf5Writer& file) {
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
  const uint64_t n = points.size();
  file.Group("/learning_curve");
  file.Dataset("/learning_curve/step", step, {n}, "gradient step");
  file.Dataset("/learning_curve/loss", loss, {n}, "1");
  file.Dataset("/learning_curve/error_cm", error, {n}, "cm");
  file.Dataset("/learning_curve/fraction_above", fraction, {n, kThresholds}, "fraction of units");
  file.NumbersAttribute("/learning_curve/fraction_above", "thresholds",
                        science::kPublishedThresholds);
}

void WriteReadout(const integrator::ReadoutParameters& readout, Hdf5Writer& file) {
  file.Group("/readout");
  const uint64_t cells = static_cast<uint64_t>(readout.cells);
  const uint64_t fields = static_cast<uint64_t>(readout.fields);
  const auto write = [&](const char* name, const std::vector<double>& values,
                         const Hdf5Shape& shape, const char* unit) {
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

void WriteMaps(const UnitMaps& maps, const std::string& name, Hdf5Writer& file) {
  const uint64_t units = static_cast<uint64_t>(maps.units), nx = static_cast<uint64_t>(maps.nx),
                 ny = static_cast<uint64_t>(maps.ny);
  const std::vector<float> single(maps.ratemaps.begin(), maps.ratemaps.end());
  file.Dataset("/ratemaps/" + name, single, {units, nx, ny}, "1");
  file.Dataset("/occupancy/" + name, maps.occupancy, {nx, ny}, "visits");
}

void WriteScores(const ArtifactContent& content, Hdf5Writer& file) {
  const uint64_t units = static_cast<uint64_t>(content.n44->units);
  file.Group("/scores");
  for (const UnitColumn& column : content.units) {
    file.Dataset(StrCat("/scores/", column.metric), column.values, {units},
                 std::string(science::FindMetric(column.metric)->unit));
  }
  file.Dataset("/scores/mask_60", content.n44->mask_60, {units, scoring::kMasks}, "1");
  file.Dataset("/scores/mask_90", content.n44->mask_90, {units, scoring::kMasks}, "1");
  file.Dataset("/scores/orientations_rad", content.n44->orientations_rad, {units, 6}, "rad");
}

void WriteChance(const ArtifactContent& content, Hdf5Writer& file) {
  if (!content.shuffled) return;
  const ShuffledScores& shuffled = *content.shuffled;
  const uint64_t sample = shuffled.units.size();
  file.Group("/chance");
  file.Dataset("/chance/unit", shuffled.units, {sample}, "unit");
  file.Dataset("/chance/grid_score_60", shuffled.score_60,
               {sample, static_cast<uint64_t>(shuffled.shuffles)}, "1");
  file.Group("/untrained");
  file.Dataset("/untrained/grid_score_60", content.untrained_score_60,
               {content.untrained_score_60.size()}, "1");
}

}  // namespace

absl::StatusOr<std::string> EncodeArtifact(const ArtifactContent& content) {
  try {
    Hdf5Writer file;
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

#include "analysis/result_file.h"

#include <cmath>
#include <utility>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

// What one question may take into memory: the maps of 130,000 units of 44 x 44 bins.
constexpr uint64_t kMostMapBytes = uint64_t{1} << 30;
constexpr uint64_t kMostNumberBytes = uint64_t{128} << 20;

// What the reader says, with the file that it says it of.
absl::Status In(const std::filesystem::path& path, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(
      StrCat("the result file ", path.filename().string(), " cannot be read: ", status.message()));
}

}  // namespace

absl::StatusOr<std::string> ResultFile::MapsPath(int nbins) const {
  std::string path = StrCat("/ratemaps/n", nbins);
  const hdf5::Object* maps = file_.Find(path);
  if (maps == nullptr) return absl::NotFoundError(StrCat("the result file has no ", path));
  if (maps->shape.size() != 3) {
    return absl::DataLossError(StrCat("the result file's ", path, " are no maps"));
  }
  const auto side = static_cast<uint64_t>(nbins);
  if (maps->shape[1] != side || maps->shape[2] != side) {
    return absl::NotFoundError(StrCat("the maps of this box have ", maps->shape[1], " x ",
                                      maps->shape[2], " bins, not ", nbins, " x ", nbins));
  }
  return path;
}

absl::StatusOr<std::vector<float>> ResultFile::Ratemap(int nbins, uint32_t unit) const {
  ASSIGN_OR_RETURN(const std::string path, MapsPath(nbins));
  const uint64_t units = file_.Find(path)->shape[0];
  if (unit >= units) {
    return absl::NotFoundError(StrCat(path, " has ", units, " units, not unit ", unit));
  }
  return file_.ReadRows<float>(path, unit, 1, kMostMapBytes);
}

absl::StatusOr<std::vector<float>> ResultFile::Ratemaps(int nbins) const {
  ASSIGN_OR_RETURN(const std::string path, MapsPath(nbins));
  return file_.Read<float>(path, kMostMapBytes);
}

absl::StatusOr<std::vector<double>> ResultFile::Numbers(const std::string& dataset) const {
  return file_.Read<double>(dataset, kMostNumberBytes);
}

double ResultFile::Metric(const std::string& name) const {
  return file_.Number("/metrics", name).value_or(std::nan(""));
}

absl::StatusOr<std::string> ResultFile::TextAttribute(const std::string& name) const {
  return file_.Text("/", name);
}

absl::StatusOr<ResultFile> ResultFiles::Open(const std::string& sha256) const {
  ASSIGN_OR_RETURN(const auto path, artifacts_.Open(sha256));
  return OpenPath(path);
}

absl::StatusOr<ResultFile> ResultFiles::OpenPath(const std::filesystem::path& path) const {
  auto file = reader_.Open(path, hdf5::Holding::kOurs);
  if (!file.ok()) return In(path, file.status());
  return ResultFile(*std::move(file));
}

}  // namespace gridsweep::analysis

#include "coordinator/file_check.h"

#include "common/log.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "hdf5/layout.h"

namespace gridsweep::coordinator {

absl::Status CheckFile(hdf5::Reader* reader, ArtifactStore& artifacts, const std::string& sha256,
                       std::string_view field) {
  if (reader == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto path, artifacts.Open(sha256));
  const auto file = reader->Open(path, hdf5::Holding::kOurs);
  const absl::Status status = file.ok() ? hdf5::CheckLayout(file->objects()) : file.status();
  if (absl::IsDataLoss(status)) {
    if (const absl::Status removed = artifacts.Remove(sha256); !removed.ok()) {
      spdlog::warn("a refused file stays: {}", std::string(removed.message()));
    }
    return Refused(absl::InvalidArgumentError(
        StrCat(field, ": the file is no result or checkpoint: ", status.message())));
  }
  return status.ok() ? status : absl::UnavailableError(status.message());
}

}  // namespace gridsweep::coordinator

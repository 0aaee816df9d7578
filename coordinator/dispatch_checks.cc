#include "coordinator/dispatch_checks.h"

#include "common/status.h"
#include "common/strings.h"
#include "coordinator/store/fields.h"

namespace gridsweep::coordinator {
namespace {

constexpr size_t kMostName = 255;  // of a worker, in bytes
constexpr size_t kMostText = 1024;
constexpr int kMostKept = 65536;   // leases of a worker's earlier processes

absl::Status CheckProgress(const std::string& path, const v1::LeaseProgress& progress) {
  RETURN_IF_ERROR(CheckRef(path + ".ref", progress.ref()));
  for (int i = 0; i < progress.points_size(); ++i) {
    RETURN_IF_ERROR(CheckPoint(StrCat(path, ".points[", i, "]"), progress.points(i)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckIntroduction(const v1::RegisterRequest& request) {
  if (request.name().empty()) return InvalidField("name", "must not be empty");
  RETURN_IF_ERROR(CheckName("name", request.name(), kMostName));
  if (request.incarnation().size() != 16) return InvalidField("incarnation", "must have 16 bytes");
  if (request.slots() < 1 || request.slots() > 4096) {
    return InvalidField("slots", StrCat(request.slots(), ": 1 to 4096"));
  }
  RETURN_IF_ERROR(CheckName("resource_class", request.resource_class(), kMostName));
  RETURN_IF_ERROR(CheckSize("memory_bytes", request.memory_bytes(), 64));
  RETURN_IF_ERROR(CheckName("numerics_id", request.numerics_id(), kMostText));
  RETURN_IF_ERROR(CheckName("version", request.version(), kMostText));
  RETURN_IF_ERROR(CheckSize("science_version", request.science_version(), 32));
  for (const auto& feature : request.features()) RETURN_IF_ERROR(CheckName("features", feature));
  for (const auto& [name, value] : request.labels()) {
    RETURN_IF_ERROR(CheckName("labels", name));
    RETURN_IF_ERROR(CheckName("labels", value));
  }
  if (request.kept_size() > kMostKept) {
    return InvalidField("kept",
                        StrCat("has ", request.kept_size(), " leases; at most ", kMostKept));
  }
  for (int i = 0; i < request.kept_size(); ++i) {
    RETURN_IF_ERROR(CheckRef(StrCat("kept[", i, "]"), request.kept(i)));
  }
  return CheckName("host", request.host(), kMostName);
}

absl::Status CheckHeartbeat(const v1::HeartbeatRequest& request) {
  for (int i = 0; i < request.held_size(); ++i) {
    RETURN_IF_ERROR(CheckProgress(StrCat("held[", i, "]"), request.held(i)));
  }
  return absl::OkStatus();
}

absl::Status CheckFailure(const v1::FailRunRequest& request) {
  RETURN_IF_ERROR(CheckRef("ref", request.ref()));
  RETURN_IF_ERROR(CheckText("error", request.error()));
  return CheckText("log_tail", request.log_tail());
}

}  // namespace gridsweep::coordinator

#include "coordinator/garbage.h"

#include <chrono>

#include "common/log.h"
#include "common/status.h"
#include "coordinator/store/artifact_garbage.h"
#include "coordinator/store/lifecycle.h"

namespace gridsweep::coordinator {
namespace {

// Each a fraction of a second: up to 4096 units a run.
constexpr int kRunsAPiece = 64;
constexpr int kFilesAPiece = 100;

}  // namespace

absl::Status CollectGarbage(Database& database, ArtifactStore& artifacts, absl::Duration at_most) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(at_most);
  const auto unlink = [&](const std::string& sha256) {
    const absl::Status status = artifacts.Remove(sha256);
    if (!status.ok()) spdlog::warn("{}", std::string(status.message()));
    return status;
  };
  bool more = true;
  while (more && std::chrono::steady_clock::now() < until) {
    ASSIGN_OR_RETURN(const bool deleted, DeleteSomeRuns(database, kRunsAPiece));
    ASSIGN_OR_RETURN(const int forgotten, ForgetArtifacts(database, kFilesAPiece));
    ASSIGN_OR_RETURN(const int unlinked, UnlinkForgotten(database, kFilesAPiece, unlink));
    more = deleted || forgotten > 0 || unlinked > 0;
  }
  return absl::OkStatus();
}

}  // namespace gridsweep::coordinator

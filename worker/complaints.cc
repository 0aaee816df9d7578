#include "worker/complaints.h"

#include <absl/time/clock.h>

#include "common/log.h"

namespace gridsweep::worker {
namespace {

constexpr absl::Duration kPause = absl::Minutes(1);

}  // namespace

std::string Remedy(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "put a token that is valid into the file of --token-file; it is read again";
    case absl::StatusCode::kPermissionDenied:
      return "give this worker a token of the role work (sweepctl token create NAME --role work)";
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kNotFound:
      return "is there a coordinator, of this version or a newer one, at --coordinator?";
    case absl::StatusCode::kDeadlineExceeded:
      return "is the line to the coordinator sound?";
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return "is a coordinator up and ready (its /readyz or its log says why not), and can it be "
             "reached from here?";
    case absl::StatusCode::kResourceExhausted:
      return "others are being served; where it stays so, start another coordinator";
    default:
      return "the coordinator's log says more";
  }
}

void Complaints::Log(const std::string& what, const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (absl::Now() < next_) return;
    next_ = absl::Now() + kPause;
  }
  spdlog::warn("{}: {}; nothing is lost, it is tried again: {}", what, status.ToString(),
               Remedy(status));
}

}  // namespace gridsweep::worker

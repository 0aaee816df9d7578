#include "common/verdict.h"

#include <string>
#include <utility>

#include "common/status.h"

namespace gridsweep {
namespace {

constexpr char kMalformed[] = "MALFORMED", kRefused[] = "REFUSED";

}  // namespace

absl::Status WithVerdict(absl::Status status) {
  if (!absl::IsInvalidArgument(status) || FieldViolations(status).empty()) return status;
  return WithReason(std::move(status), kMalformed);
}

absl::Status Refused(absl::Status status) { return WithReason(std::move(status), kRefused); }

bool IsVerdict(const absl::Status& status) {
  if (IsLeaseLost(status)) return true;
  const std::string reason = Reason(status);
  return reason == kMalformed || reason == kRefused || reason == kCheckpointUnknown;
}

}  // namespace gridsweep

// What workers' requests must be so that the store keeps them as they are. Each check needs no
// database, and answers INVALID_ARGUMENT with the path of the field that is not so.
#pragma once

#include <absl/status/status.h>

#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

absl::Status CheckIntroduction(const v1::RegisterRequest& request);
absl::Status CheckHeartbeat(const v1::HeartbeatRequest& request);
absl::Status CheckFailure(const v1::FailRunRequest& request);

}  // namespace gridsweep::coordinator

#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>

namespace gridsweep::sweepctl {

// OK when the server says SERVING (grpc.health.v1) within `deadline`.
absl::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline);

}  // namespace gridsweep::sweepctl

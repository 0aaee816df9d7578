#include "sweepctl/health_check.h"

#include <absl/time/clock.h>

#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/generic_call.h"
#include "sweepctl/health.pb.h"

namespace gridsweep::sweepctl {

absl::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  GenericCall call(channel, "/grpc.health.v1.Health/Check", context);
  health::Response response;
  if (call.Write(health::Request())) call.WritesDone();
  const bool answered = call.Read(response);
  RETURN_IF_ERROR(call.Finish());
  if (answered && response.status() == health::Response::SERVING) return absl::OkStatus();
  return absl::UnavailableError(
      StrCat("health is ", health::Response::Status_Name(response.status())));
}

}  // namespace gridsweep::sweepctl

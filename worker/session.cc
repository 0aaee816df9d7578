#include "worker/session.h"

#include "common/duration.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"

namespace gridsweep::worker {
namespace {

constexpr absl::Duration kDefaultHeartbeat = absl::Seconds(15);
constexpr int kIncarnationBytes = 16;

v1::RegisterRequest WithIncarnation(v1::RegisterRequest request) {
  request.set_incarnation(RandomBytes(kIncarnationBytes));
  return request;
}

}  // namespace

Session::Session(DispatchClient& client, v1::RegisterRequest request)
    : client_(client), request_(WithIncarnation(std::move(request))) {}

absl::Status Session::Register(const DispatchClient::Wanted& wanted,
                               const std::vector<v1::LeaseRef>& kept) {
  v1::RegisterRequest request = request_;
  request.mutable_kept()->Assign(kept.begin(), kept.end());
  ASSIGN_OR_RETURN(const v1::RegisterResponse terms, client_.Register(request, wanted));
  MutexLock lock(mutex_);
  terms_ = terms;
  return absl::OkStatus();
}

int64_t Session::worker_id() const {
  MutexLock lock(mutex_);
  return terms_.worker_id();
}

absl::Duration Session::heartbeat_interval() const {
  MutexLock lock(mutex_);
  const absl::Duration duration = FromProto(terms_.heartbeat_interval());
  return duration > absl::ZeroDuration() ? duration : kDefaultHeartbeat;
}

void Session::set_refused(const absl::Status& why) {
  if (!refused_.exchange(true)) spdlog::error("this worker is refused: {}", why.ToString());
}

void Session::set_directive(v1::WorkerDirective directive) {
  if (directive == v1::WORKER_DIRECTIVE_UNSPECIFIED) directive = v1::WORKER_DIRECTIVE_RUN;
  if (directive_.exchange(directive) != directive) {
    spdlog::info("directive of the coordinator: {}", v1::WorkerDirective_Name(directive));
  }
}

}  // namespace gridsweep::worker

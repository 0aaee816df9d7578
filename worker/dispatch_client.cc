#include "worker/dispatch_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/duration.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "worker/watched_call.h"

namespace gridsweep::worker {
namespace {

// Small against what the slowest line carries in the minute after which coordinators give up a
// client that is silent.
constexpr size_t kChunkBytes = 1 << 16;
constexpr size_t kBlockUnits = 512;
constexpr absl::Duration kCallDeadline = absl::Seconds(15);
constexpr absl::Duration kNoDeadline = absl::InfiniteDuration();
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
// With a second to connect again, a worker is back well within the shortest sensible lease, 3 s.
constexpr absl::Duration kLongestPause = absl::Seconds(1);
// Failures that may be an accident of the wire or a fault that stays.
constexpr int kDoubtfulAttempts = 5;
// A checkpoint that so often was not what it should be is damaged where it is stored.
constexpr int kDamagedLoads = 5;
// The attempt of an outage with which the log begins to tell of it.
constexpr int kTriesInSilence = 3;

enum class Kind { kFinal, kDoubtful, kTransient };

Kind KindOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
      return Kind::kTransient;
    case absl::StatusCode::kResourceExhausted:
      return RetryAfter(status) ? Kind::kTransient : Kind::kFinal;
    // CANCELLED by the other side: a server that shuts down cancels what it has.
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return Kind::kDoubtful;
    default:
      return Kind::kFinal;
  }
}

bool Always() { return true; }

}  // namespace

// A context that StopLeasing and Abort can reach while this object lives.
class DispatchClient::Call {
 public:
  Call(DispatchClient& client, bool leasing, absl::Duration deadline) : client_(client) {
    if (deadline < kNoDeadline) {
      context_.set_deadline(std::chrono::system_clock::now() +
                            absl::ToChronoMilliseconds(deadline));
    }
    MutexLock lock(client_.mutex_);
    client_.calls_[&context_] = leasing;
  }
  ~Call() {
    MutexLock lock(client_.mutex_);
    client_.calls_.erase(&context_);
  }
  grpc::ClientContext& context() { return context_; }

 private:
  DispatchClient& client_;
  grpc::ClientContext context_;
};

DispatchClient::DispatchClient(const std::shared_ptr<grpc::Channel>& channel,
                               const std::shared_ptr<grpc::Channel>& streams, Settings settings)
    : settings_(settings),
      stub_(v1::DispatchService::NewStub(channel)),
      streams_(v1::DispatchService::NewStub(streams != nullptr ? streams : channel)),
      random_(std::random_device{}()) {}

bool DispatchClient::Stopped(bool leasing) {
  MutexLock lock(mutex_);
  return abort_ || (leasing && stop_leasing_);
}

void DispatchClient::Pause(absl::Duration pause, bool leasing) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(pause);
  MutexLock lock(mutex_);
  while (!abort_ && !(leasing && stop_leasing_) &&
         changed_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
  }
}

double DispatchClient::Jitter() {
  MutexLock lock(mutex_);
  return std::uniform_real_distribution<double>(0.5, 1)(random_);
}

bool DispatchClient::MaySucceedLater(const absl::Status& status) {
  return !status.ok() && !IsVerdict(status);
}

absl::Duration DispatchClient::StallOf(const Patience& patience) const {
  return std::min(settings_.stall, patience.once.value_or(absl::InfiniteDuration()));
}

absl::Status DispatchClient::Retry(const Patience& patience, bool leasing, absl::Duration deadline,
                                   Until until, const Attempt& attempt) {
  const Wanted& wanted = patience.wanted;
  const auto start = std::chrono::steady_clock::now();
  absl::Duration pause = kFirstPause;
  int doubtful = 0;
  for (int tries = 1;; ++tries) {
    if (Stopped(leasing) || !wanted()) return absl::CancelledError("given up");
    absl::Status status;
    {
      Call call(*this, leasing, deadline);
      status = FromGrpc(attempt(call.context()));
    }
    if (status.ok()) return status;
    if (Stopped(leasing) || !wanted()) return absl::CancelledError("given up");
    const std::optional<absl::Duration> asked = RetryAfter(status);
    if (until == Until::kVerdict) {
      const bool waiting = asked && patience.once &&
                           absl::FromChrono(std::chrono::steady_clock::now() - start) + *asked <
                               *patience.once;
      if (IsVerdict(status) || (patience.once && !waiting)) return status;
    } else {
      // A token that expired in the middle of the work: its file may get a new one.
      const bool replaceable = registered_ && absl::IsUnauthenticated(status);
      const Kind kind = replaceable ? Kind::kTransient : KindOf(status);
      if (kind == Kind::kFinal) return status;
      if (kind == Kind::kDoubtful && ++doubtful >= kDoubtfulAttempts) {
        return status.code() == absl::StatusCode::kCancelled
                   ? absl::UnknownError(StrCat("cancelled by the server: ", status.message()))
                   : status;
      }
    }
    if (tries >= kTriesInSilence) {
      complaints_.Log("no coordinator takes this worker's call", status);
    }
    const absl::Duration wait = std::max(pause, asked.value_or(absl::ZeroDuration()));
    Pause(wait * Jitter(), leasing);
    pause = std::min(pause * 2, kLongestPause);
  }
}

absl::StatusOr<v1::RegisterResponse> DispatchClient::Register(const v1::RegisterRequest& request,
                                                              const Wanted& wanted) {
  v1::RegisterResponse response;
  RETURN_IF_ERROR(Retry({wanted}, false, kCallDeadline, Until::kNotTransient,
                        [&](grpc::ClientContext& context) {
                          return stub_->Register(&context, request, &response);
                        }));
  registered_ = true;
  return response;
}

absl::StatusOr<v1::LeaseRunsResponse> DispatchClient::LeaseRuns(
    const v1::LeaseRunsRequest& request) {
  v1::LeaseRunsResponse response;
  const absl::Duration deadline = FromProto(request.max_wait()) + kCallDeadline;
  RETURN_IF_ERROR(Retry({Always}, true, deadline, Until::kNotTransient,
                        [&](grpc::ClientContext& context) {
                          return stub_->LeaseRuns(&context, request, &response);
                        }));
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> DispatchClient::Heartbeat(const v1::HeartbeatRequest& request,
                                                                absl::Duration deadline) {
  if (Stopped(false)) return absl::CancelledError("given up");
  v1::HeartbeatResponse response;
  Call call(*this, false, deadline);
  RETURN_IF_ERROR(FromGrpc(stub_->Heartbeat(&call.context(), request, &response)));
  return response;
}

namespace {

// Writes `header` and then `bytes` in chunks from `header`'s offset on, and answers how the server
// took it: one that refused, or has the file already, may have hung up early; its status says
// which.
template <class Request>
grpc::Status SendChunks(SendingCall<Request>& call, Request& header, const std::string& bytes,
                        const std::function<void(uint64_t chunks)>& on_chunk) {
  call.Start();
  uint64_t chunks = header.header().offset() / kChunkBytes;
  size_t at = header.header().offset();
  bool open = call.Send(header);
  Request part;
  for (; open && at < bytes.size(); at += kChunkBytes) {
    part.set_chunk(bytes.substr(at, kChunkBytes));
    open = call.Send(part);
    if (on_chunk) on_chunk(++chunks);
  }
  return call.End();
}

}  // namespace

absl::StatusOr<uint64_t> DispatchClient::Received(const v1::LeaseRef& ref,
                                                  const std::string& sha256) {
  v1::FindUploadRequest request;
  *request.mutable_ref() = ref;
  request.set_sha256(sha256);
  v1::FindUploadResponse response;
  Call call(*this, false, kCallDeadline);
  const absl::Status status = FromGrpc(stub_->FindUpload(&call.context(), request, &response));
  // An older coordinator keeps nothing.
  if (absl::IsUnimplemented(status)) return 0;
  RETURN_IF_ERROR(status);
  return response.received();
}

absl::Status DispatchClient::UploadArtifact(const v1::LeaseRef& ref, const std::string& bytes,
                                            const std::string& sha256,
                                            const std::function<void(uint64_t chunks)>& on_chunk,
                                            const Patience& patience) {
  v1::UploadArtifactRequest header;
  *header.mutable_header()->mutable_ref() = ref;
  header.mutable_header()->set_sha256(sha256);
  header.mutable_header()->set_size(bytes.size());
  header.mutable_header()->set_kind("result");
  bool again = patience.again;
  return Retry(
      patience, false, kNoDeadline, Until::kVerdict, [&](grpc::ClientContext& context) {
        if (std::exchange(again, true)) {
          const auto received = Received(ref, sha256);
          if (!received.ok()) return ToGrpc(received.status());
          header.mutable_header()->set_offset(std::min<uint64_t>(*received, bytes.size()));
        }
        v1::UploadArtifactResponse response;
        SendingCall<v1::UploadArtifactRequest> call(context, patience.wanted, StallOf(patience));
        streams_->async()->UploadArtifact(&context, &response, &call);
        return SendChunks(call, header, bytes, on_chunk);
      });
}

absl::Status DispatchClient::SaveCheckpoint(const v1::LeaseRef& ref,
                                            const v1::CheckpointRef& checkpoint,
                                            const std::string& bytes, const Wanted& wanted,
                                            bool again) {
  v1::SaveCheckpointRequest header;
  *header.mutable_header()->mutable_ref() = ref;
  *header.mutable_header()->mutable_checkpoint() = checkpoint;
  if (Stopped(false)) return absl::CancelledError("given up");
  if (again) {
    ASSIGN_OR_RETURN(const uint64_t received, Received(ref, checkpoint.sha256()));
    header.mutable_header()->set_offset(std::min<uint64_t>(received, bytes.size()));
  }
  Call call(*this, false, kNoDeadline);
  v1::SaveCheckpointResponse response;
  SendingCall<v1::SaveCheckpointRequest> sending(call.context(), wanted, settings_.stall);
  streams_->async()->SaveCheckpoint(&call.context(), &response, &sending);
  return FromGrpc(SendChunks(sending, header, bytes, nullptr));
}

absl::StatusOr<std::string> DispatchClient::LoadCheckpoint(const v1::LeaseRef& ref,
                                                           const v1::CheckpointRef& checkpoint,
                                                           const Wanted& wanted) {
  v1::LoadCheckpointRequest request;
  *request.mutable_ref() = ref;
  request.set_sha256(checkpoint.sha256());
  std::string bytes;
  int damaged = 0;
  RETURN_IF_ERROR(Retry(
      {wanted}, false, kNoDeadline, Until::kVerdict, [&](grpc::ClientContext& context) {
        request.set_offset(bytes.size());
        ReceivingCall<v1::LoadCheckpointResponse> call(context, wanted, settings_.stall);
        streams_->async()->LoadCheckpoint(&context, &request, &call);
        call.Start();
        v1::LoadCheckpointResponse part;
        while (call.Receive(part)) {
          bytes += part.chunk();
          if (bytes.size() > checkpoint.size()) context.TryCancel();
        }
        const grpc::Status status = call.End();
        if (bytes.size() <= checkpoint.size() && !status.ok()) return status;
        if (Sha256::Of(bytes) == checkpoint.sha256()) return grpc::Status::OK;
        // From the start again: an older coordinator knows of no other place.
        bytes.clear();
        const absl::Status wrong = absl::DataLossError("the checkpoint does not have its hash");
        return ToGrpc(++damaged < kDamagedLoads ? wrong : Refused(wrong));
      }));
  return bytes;
}

absl::StatusOr<v1::CompleteRunResponse> DispatchClient::CompleteRun(
    const v1::CompleteRunRequest::Header& header, const std::vector<UnitColumn>& units,
    const Patience& patience) {
  v1::CompleteRunResponse response;
  RETURN_IF_ERROR(Retry(
      patience, false, kNoDeadline, Until::kVerdict, [&](grpc::ClientContext& context) {
        SendingCall<v1::CompleteRunRequest> call(context, patience.wanted, StallOf(patience));
        streams_->async()->CompleteRun(&context, &response, &call);
        call.Start();
        v1::CompleteRunRequest part;
        *part.mutable_header() = header;
        bool open = call.Send(part);
        for (size_t first = 0; open && first < header.unit_count(); first += kBlockUnits) {
          const size_t end = std::min<size_t>(first + kBlockUnits, header.unit_count());
          v1::UnitBlock& block = *part.mutable_units();
          block.Clear();
          block.set_first_unit(static_cast<uint32_t>(first));
          for (const UnitColumn& column : units) {
            v1::MetricColumn& values = *block.add_columns();
            values.set_metric(column.metric);
            values.mutable_value()->Add(column.values.begin() + static_cast<ptrdiff_t>(first),
                                        column.values.begin() + static_cast<ptrdiff_t>(end));
          }
          open = call.Send(part);
        }
        return call.End();
      }));
  return response;
}

absl::StatusOr<v1::FailRunResponse> DispatchClient::FailRun(const v1::FailRunRequest& request,
                                                            const Patience& patience) {
  v1::FailRunResponse response;
  RETURN_IF_ERROR(
      Retry(patience, false, kCallDeadline, Until::kVerdict, [&](grpc::ClientContext& context) {
        return stub_->FailRun(&context, request, &response);
      }));
  return response;
}

absl::Status DispatchClient::ReleaseRuns(const v1::ReleaseRunsRequest& request,
                                         absl::Duration deadline) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
  v1::ReleaseRunsResponse response;
  return FromGrpc(stub_->ReleaseRuns(&context, request, &response));
}

void DispatchClient::StopLeasing() {
  MutexLock lock(mutex_);
  stop_leasing_ = true;
  for (const auto& [context, leasing] : calls_) {
    if (leasing) context->TryCancel();
  }
  changed_.notify_all();
}

void DispatchClient::Abort() {
  MutexLock lock(mutex_);
  abort_ = true;
  for (const auto& [context, leasing] : calls_) context->TryCancel();
  changed_.notify_all();
}

}  // namespace gridsweep::worker

#include "worker/dispatch_client.h"

#include <algorithm>
#include <chrono>

#include "common/duration.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::worker {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr size_t kBlockUnits = 4096;
constexpr absl::Duration kCallDeadline = absl::Seconds(15);
constexpr absl::Duration kStreamDeadline = absl::Seconds(60);
constexpr absl::Duration kCheckpointDeadline = absl::Minutes(10);  // up to 4 GiB
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
// With a second to connect again, a worker is back well within the shortest sensible lease, 3 s.
constexpr absl::Duration kLongestPause = absl::Seconds(1);
// Failures that may be an accident of the wire or a fault that stays.
constexpr int kDoubtfulAttempts = 5;

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
    context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(deadline));
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

DispatchClient::DispatchClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::DispatchService::NewStub(channel)), random_(std::random_device{}()) {}

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
  // Unauthenticated: the token's file may get a new one.
  return KindOf(status) == Kind::kTransient || absl::IsCancelled(status) ||
         absl::IsUnauthenticated(status);
}

absl::Status DispatchClient::Retry(
    const Patience& patience, bool leasing, absl::Duration deadline,
    const std::function<grpc::Status(grpc::ClientContext&)>& attempt) {
  const Wanted& wanted = patience.wanted;
  absl::Duration pause = kFirstPause;
  int doubtful = 0;
  for (int tries = 1;; ++tries) {
    if (Stopped(leasing) || !wanted()) return absl::CancelledError("given up");
    absl::Status status;
    {
      Call call(*this, leasing, patience.once.value_or(deadline));
      status = FromGrpc(attempt(call.context()));
    }
    if (status.ok()) return status;
    if (Stopped(leasing) || !wanted()) return absl::CancelledError("given up");
    // A token that expired in the middle of the work: its file may get a new one.
    const bool replaceable = registered_ && absl::IsUnauthenticated(status);
    const Kind kind = replaceable ? Kind::kTransient : KindOf(status);
    if (kind == Kind::kFinal || (kind == Kind::kTransient && patience.once)) return status;
    if (kind == Kind::kDoubtful && ++doubtful >= kDoubtfulAttempts) {
      return status.code() == absl::StatusCode::kCancelled
                 ? absl::UnknownError(StrCat("cancelled by the server: ", status.message()))
                 : status;
    }
    // The first failures of an outage and then one a minute or so.
    if (tries == 3 || tries % 80 == 0) {
      spdlog::warn("the coordinator does not answer ({} attempts): {}", tries, status.ToString());
    }
    const absl::Duration wait = std::max(pause, RetryAfter(status).value_or(absl::ZeroDuration()));
    Pause(wait * Jitter(), leasing);
    pause = std::min(pause * 2, kLongestPause);
  }
}

absl::StatusOr<v1::RegisterResponse> DispatchClient::Register(const v1::RegisterRequest& request,
                                                              const Wanted& wanted) {
  v1::RegisterResponse response;
  RETURN_IF_ERROR(Retry({wanted}, false, kCallDeadline, [&](grpc::ClientContext& context) {
    return stub_->Register(&context, request, &response);
  }));
  registered_ = true;
  return response;
}

absl::StatusOr<v1::LeaseRunsResponse> DispatchClient::LeaseRuns(
    const v1::LeaseRunsRequest& request) {
  v1::LeaseRunsResponse response;
  const absl::Duration deadline = FromProto(request.max_wait()) + kCallDeadline;
  RETURN_IF_ERROR(Retry({Always}, true, deadline, [&](grpc::ClientContext& context) {
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

// Writes `header` and then `bytes` in chunks, and answers how the server took it.
template <class Writer, class Request>
grpc::Status SendChunks(Writer& writer, grpc::ClientContext& context, Request& header,
                        const std::string& bytes, const DispatchClient::Wanted& wanted,
                        const std::function<void(uint64_t chunks)>& on_chunk) {
  bool open = writer.Write(header);
  Request part;
  uint64_t chunks = 0;
  for (size_t at = 0; open && at < bytes.size(); at += kChunkBytes) {
    if (!wanted()) context.TryCancel();
    part.set_chunk(bytes.substr(at, kChunkBytes));
    open = writer.Write(part);
    if (on_chunk) on_chunk(++chunks);
  }
  // A stream that broke is not whole: gRPC could repeat what it has of it.
  if (open) writer.WritesDone();
  // A server that refused, or has the file already, may have hung up early:
  // its status says which.
  return writer.Finish();
}

}  // namespace

absl::Status DispatchClient::UploadArtifact(const v1::LeaseRef& ref, const std::string& bytes,
                                            const std::string& sha256,
                                            const std::function<void(uint64_t chunks)>& on_chunk,
                                            const Patience& patience) {
  v1::UploadArtifactRequest header;
  *header.mutable_header()->mutable_ref() = ref;
  header.mutable_header()->set_sha256(sha256);
  header.mutable_header()->set_size(bytes.size());
  header.mutable_header()->set_kind("result");
  return Retry(patience, false, kStreamDeadline, [&](grpc::ClientContext& context) {
    v1::UploadArtifactResponse response;
    const auto writer = stub_->UploadArtifact(&context, &response);
    return SendChunks(*writer, context, header, bytes, patience.wanted, on_chunk);
  });
}

absl::Status DispatchClient::SaveCheckpoint(const v1::LeaseRef& ref,
                                            const v1::CheckpointRef& checkpoint,
                                            const std::string& bytes, const Wanted& wanted) {
  v1::SaveCheckpointRequest header;
  *header.mutable_header()->mutable_ref() = ref;
  *header.mutable_header()->mutable_checkpoint() = checkpoint;
  if (Stopped(false)) return absl::CancelledError("given up");
  Call call(*this, false, kCheckpointDeadline);
  v1::SaveCheckpointResponse response;
  const auto writer = stub_->SaveCheckpoint(&call.context(), &response);
  return FromGrpc(SendChunks(*writer, call.context(), header, bytes, wanted, nullptr));
}

absl::StatusOr<std::string> DispatchClient::LoadCheckpoint(const v1::LeaseRef& ref,
                                                           const v1::CheckpointRef& checkpoint,
                                                           const Wanted& wanted) {
  v1::LoadCheckpointRequest request;
  *request.mutable_ref() = ref;
  request.set_sha256(checkpoint.sha256());
  std::string bytes;
  RETURN_IF_ERROR(Retry({wanted}, false, kCheckpointDeadline, [&](grpc::ClientContext& context) {
    bytes.clear();
    const auto reader = stub_->LoadCheckpoint(&context, request);
    v1::LoadCheckpointResponse part;
    while (reader->Read(&part) && bytes.size() <= checkpoint.size()) {
      if (!wanted()) context.TryCancel();
      bytes += part.chunk();
    }
    const grpc::Status status = reader->Finish();
    if (status.ok() && Sha256::Of(bytes) != checkpoint.sha256()) {
      return grpc::Status(grpc::StatusCode::DATA_LOSS, "the checkpoint does not have its hash");
    }
    return status;
  }));
  return bytes;
}

absl::StatusOr<v1::CompleteRunResponse> DispatchClient::CompleteRun(
    const v1::CompleteRunRequest::Header& header, const std::vector<UnitColumn>& units,
    const Patience& patience) {
  v1::CompleteRunResponse response;
  RETURN_IF_ERROR(Retry(patience, false, kStreamDeadline, [&](grpc::ClientContext& context) {
    const auto writer = stub_->CompleteRun(&context, &response);
    v1::CompleteRunRequest part;
    *part.mutable_header() = header;
    bool open = writer->Write(part);
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
      open = writer->Write(part);
    }
    if (open) writer->WritesDone();
    return writer->Finish();
  }));
  return response;
}

absl::StatusOr<v1::FailRunResponse> DispatchClient::FailRun(const v1::FailRunRequest& request,
                                                            const Wanted& wanted) {
  v1::FailRunResponse response;
  RETURN_IF_ERROR(Retry({wanted}, false, kCallDeadline, [&](grpc::ClientContext& context) {
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

// Streams of a call, used by one thread that waits for each step: a call lives for as long as
// something moves, however long all of it takes.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <optional>
#include <string>

#include "common/mutex.h"

namespace gridsweep::worker {

// Waits for the steps of a call, and cancels it once one takes longer than `patience` or nobody
// wants the call any more.
class CallWatch {
 public:
  CallWatch(grpc::ClientContext& context, std::function<bool()> wanted, absl::Duration patience)
      : context_(context), wanted_(std::move(wanted)), patience_(patience) {}

  // From gRPC's threads: a step is done; the call is over.
  void Moved(bool ok) LOCKS_EXCLUDED(mutex_);
  void Ended(const grpc::Status& status) LOCKS_EXCLUDED(mutex_);

  // Waits for Moved; false where the stream has broken or ended.
  bool AwaitStep() LOCKS_EXCLUDED(mutex_);
  // Waits for Ended. DEADLINE_EXCEEDED where a step took too long.
  grpc::Status AwaitEnd() LOCKS_EXCLUDED(mutex_);

 private:
  // Waits until `happened`, which is called under the lock.
  void Await(const std::function<bool()>& happened) LOCKS_EXCLUDED(mutex_);

  grpc::ClientContext& context_;
  const std::function<bool()> wanted_;
  const absl::Duration patience_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<bool> step_ GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ GUARDED_BY(mutex_);
  bool stalled_ GUARDED_BY(mutex_) = false;
};

// A stream of requests. Hand it to the stub, then Start, Send, End; End must be called.
template <class Request>
class SendingCall final : public grpc::ClientWriteReactor<Request> {
 public:
  SendingCall(grpc::ClientContext& context, std::function<bool()> wanted, absl::Duration patience)
      : watch_(context, std::move(wanted), patience) {}

  void Start() {
    this->AddHold();
    this->StartCall();
  }
  // False once the server takes no more: because it has all it wants, or because the stream broke.
  bool Send(const Request& request) {
    if (!open_) return false;
    this->StartWrite(&request);
    return open_ = watch_.AwaitStep();
  }
  grpc::Status End() {
    // A stream that broke is not whole: gRPC could repeat what it has of it.
    if (open_) this->StartWritesDone();
    this->RemoveHold();
    return watch_.AwaitEnd();
  }

 private:
  void OnWriteDone(bool ok) override { watch_.Moved(ok); }
  void OnDone(const grpc::Status& status) override { watch_.Ended(status); }

  CallWatch watch_;
  bool open_ = true;
};

// A stream of responses. Hand it to the stub, then Start, Receive until false, End; End must be
// called.
template <class Response>
class ReceivingCall final : public grpc::ClientReadReactor<Response> {
 public:
  ReceivingCall(grpc::ClientContext& context, std::function<bool()> wanted, absl::Duration patience)
      : watch_(context, std::move(wanted), patience) {}

  void Start() {
    this->AddHold();
    this->StartCall();
  }
  bool Receive(Response& response) {
    this->StartRead(&response);
    return watch_.AwaitStep();
  }
  grpc::Status End() {
    this->RemoveHold();
    return watch_.AwaitEnd();
  }

 private:
  void OnReadDone(bool ok) override { watch_.Moved(ok); }
  void OnDone(const grpc::Status& status) override { watch_.Ended(status); }

  CallWatch watch_;
};

}  // namespace gridsweep::worker

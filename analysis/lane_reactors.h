// gRPC calls whose work is done on a lane: no gRPC thread waits for it, and no
// lane thread waits for a client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "common/executor.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

inline absl::Status LaneFull(const Executor& lane) {
  return WithRetryAfter(
      absl::ResourceExhaustedError(StrCat("too many calls wait for the lane ", lane.name())),
      absl::Seconds(1));
}

// Answers a unary call with what `work` returns.
template <typename Response>
grpc::ServerUnaryReactor* AnswerOnLane(grpc::CallbackServerContext* context, Executor& lane,
                                       Response* response,
                                       std::function<absl::StatusOr<Response>(int thread)> work) {
  auto* reactor = context->DefaultReactor();
  const bool taken = lane.Submit([=, work = std::move(work)](int thread) {
    if (context->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
    absl::StatusOr<Response> answer = work(thread);
    if (answer.ok()) *response = *std::move(answer);
    reactor->Finish(ToGrpc(answer.status()));
  });
  if (!taken) reactor->Finish(ToGrpc(LaneFull(lane)));
  return reactor;
}

// A stream, made piece by piece.
template <typename Response>
class StreamJob {
 public:
  virtual ~StreamJob() = default;
  // Does a bounded piece of work on a lane's thread, appends what it found to
  // `out` (maybe nothing); false when that was the last piece.
  virtual absl::StatusOr<bool> Step(int thread, std::vector<Response>& out) = 0;
};

// Writes a StreamJob's responses; asks for the next piece once all of this one
// are written, so that a slow client holds one piece of memory and no thread.
template <typename Response, typename Reactor = grpc::ServerWriteReactor<Response>>
class LaneStream : public Reactor {
 public:
  // Deletes itself when the call is done. `lane` must outlive the call.
  LaneStream(Executor& lane, std::unique_ptr<StreamJob<Response>> job) : lane_(lane) {
    Start(std::move(job));
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    ++written_;
    Continue();
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 protected:
  explicit LaneStream(Executor& lane) : lane_(lane) {}
  void Start(std::unique_ptr<StreamJob<Response>> job) {
    job_ = std::move(job);
    NextPiece();
  }

 private:
  // Either the lane's thread or a gRPC thread runs these, never both: each
  // hands over with its last statement.
  void NextPiece() {
    const bool taken = lane_.Submit([this](int thread) {
      if (cancelled_) return this->Finish(grpc::Status::CANCELLED);
      piece_.clear();
      written_ = 0;
      more_ = job_->Step(thread, piece_);
      Continue();
    });
    if (!taken) this->Finish(ToGrpc(LaneFull(lane_)));
  }
  void Continue() {
    if (written_ < piece_.size()) return this->StartWrite(&piece_[written_]);
    if (!more_.ok()) return this->Finish(ToGrpc(more_.status()));
    if (*more_) return NextPiece();
    this->Finish(grpc::Status::OK);
  }

  Executor& lane_;
  std::unique_ptr<StreamJob<Response>> job_;
  std::vector<Response> piece_;
  size_t written_ = 0;
  absl::StatusOr<bool> more_ = true;
  std::atomic<bool> cancelled_ = false;
};

// A question of several messages, gathered on gRPC's threads: quick, and bounded in what it keeps.
template <typename Request, typename Response>
class StreamQuestion {
 public:
  virtual ~StreamQuestion() = default;
  virtual absl::Status Add(Request& message) = 0;
  // After the last message.
  virtual absl::StatusOr<std::unique_ptr<StreamJob<Response>>> Finish() = 0;
};

// Reads until the client has sent all, then answers as a LaneStream.
template <typename Request, typename Response>
class LaneDialogue : public LaneStream<Response, grpc::ServerBidiReactor<Request, Response>> {
 public:
  LaneDialogue(Executor& lane, std::unique_ptr<StreamQuestion<Request, Response>> question)
      : LaneStream<Response, grpc::ServerBidiReactor<Request, Response>>(lane),
        question_(std::move(question)) {
    this->StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (ok) {
      const absl::Status added = question_->Add(message_);
      if (!added.ok()) return this->Finish(ToGrpc(added));
      return this->StartRead(&message_);
    }
    auto job = question_->Finish();
    if (!job.ok()) return this->Finish(ToGrpc(job.status()));
    this->Start(*std::move(job));
  }

 private:
  const std::unique_ptr<StreamQuestion<Request, Response>> question_;
  Request message_;
};

}  // namespace gridsweep::analysis

// gRPC calls whose work is done on a lane: no gRPC thread waits for it, and no
// lane thread waits for a client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/lane.h"
#include "common/byte_budget.h"
#include "common/call_memory.h"
#include "common/client_limit.h"
#include "common/stall_alarm.h"
#include "common/status.h"

namespace gridsweep::analysis {

// Answers a unary call with what `work` returns.
template <typename Response>
grpc::ServerUnaryReactor* AnswerOnLane(grpc::CallbackServerContext* context, Lane& lane,
                                       Response* response,
                                       std::function<absl::StatusOr<Response>(int thread)> work) {
  auto* reactor = context->DefaultReactor();
  auto place = std::make_shared<ClientLimit::Place>(lane.clients, lane.ClientOf(*context));
  if (!place->taken()) {
    reactor->Finish(ToGrpc(lane.clients.TooMany()));
    return reactor;
  }
  const std::string client = place->client();
  const bool queued = lane.executor.Submit(
      [=, work = std::move(work)](int thread) mutable {
        grpc::Status status = grpc::Status::CANCELLED;
        if (!context->IsCancelled()) {
          absl::StatusOr<Response> answer = WithinMemory([&] { return work(thread); });
          if (answer.ok()) *response = *std::move(answer);
          status = ToGrpc(answer.status());
        }
        place.reset();  // before the client hears that it may go on
        reactor->Finish(status);
      },
      client);
  if (!queued) reactor->Finish(ToGrpc(lane.Full()));
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

  // `gone` says whether the caller has gone. Before each Step.
  void KnowCaller(std::function<bool()> gone) { gone_ = std::move(gone); }

 protected:
  // What a piece that takes long asks now and then; it may return anything once this is true.
  const std::function<bool()>& gone() const { return gone_; }

 private:
  std::function<bool()> gone_ = [] { return false; };
};

// Writes a StreamJob's responses; asks for the next piece once all of this one
// are written, so that a slow client holds one piece of memory and no thread.
// One that reads nothing for the lane's longest silence is cut off.
template <typename Response, typename Reactor = grpc::ServerWriteReactor<Response>>
class LaneStream : public Reactor {
 public:
  // Deletes itself when the call is done. `lane` must outlive the call.
  LaneStream(grpc::CallbackServerContext* context, Lane& lane,
             std::unique_ptr<StreamJob<Response>> job)
      : LaneStream(context, lane) {
    job_ = std::move(job);
    if (Admitted()) NextPiece();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    ++written_;
    Continue();
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 protected:
  LaneStream(grpc::CallbackServerContext* context, Lane& lane)
      : lane_(lane),
        place_(lane.clients, lane.ClientOf(*context)),
        silence_(context, lane.settings.longest_silence) {}

  // False, and the call is over, where the client has as many as it may.
  bool Admitted() {
    if (place_.taken()) return true;
    this->Finish(ToGrpc(lane_.clients.TooMany()));
    return false;
  }
  // `make` gives the job, or why there is none; on the lane's thread.
  void Start(std::function<absl::StatusOr<std::unique_ptr<StreamJob<Response>>>()> make) {
    make_ = std::move(make);
    NextPiece();
  }
  StallAlarm& silence() { return silence_; }
  Lane& lane() { return lane_; }

 private:
  // Either the lane's thread or a gRPC thread runs these, never both: each
  // hands over with its last statement.
  void NextPiece() {
    silence_.Suspend();
    const bool taken = lane_.executor.Submit(
        [this](int thread) {
          if (cancelled_) return this->Finish(grpc::Status::CANCELLED);
          piece_.clear();
          written_ = 0;
          more_ = WithinMemory([&] { return Piece(thread); });
          Continue();
        },
        place_.client());
    if (!taken) this->Finish(ToGrpc(lane_.Full()));
  }
  absl::StatusOr<bool> Piece(int thread) {
    if (job_ == nullptr) {
      ASSIGN_OR_RETURN(job_, make_());
    }
    job_->KnowCaller([this] { return cancelled_.load(); });
    return job_->Step(thread, piece_);
  }
  void Continue() {
    if (written_ < piece_.size()) {
      silence_.Heard();
      return this->StartWrite(&piece_[written_]);
    }
    if (!more_.ok()) return this->Finish(ToGrpc(more_.status()));
    if (*more_) return NextPiece();
    this->Finish(grpc::Status::OK);
  }

  Lane& lane_;
  const ClientLimit::Place place_;
  std::function<absl::StatusOr<std::unique_ptr<StreamJob<Response>>>()> make_;
  std::unique_ptr<StreamJob<Response>> job_;
  std::vector<Response> piece_;
  size_t written_ = 0;
  absl::StatusOr<bool> more_ = true;
  std::atomic<bool> cancelled_ = false;
  StallAlarm silence_;
};

// A question of several messages, gathered on gRPC's threads: quick, and bounded in what it keeps.
template <typename Request, typename Response>
class StreamQuestion {
 public:
  virtual ~StreamQuestion() = default;
  virtual absl::Status Add(Request& message) = 0;
  // After the last message; on the lane's thread.
  virtual absl::StatusOr<std::unique_ptr<StreamJob<Response>>> Finish() = 0;
};

// Reads until the client has sent all, then answers as a LaneStream. What the client sends counts
// against the lane's budget until the call is over.
template <typename Request, typename Response>
class LaneDialogue : public LaneStream<Response, grpc::ServerBidiReactor<Request, Response>> {
 public:
  LaneDialogue(grpc::CallbackServerContext* context, Lane& lane,
               std::unique_ptr<StreamQuestion<Request, Response>> question)
      : LaneStream<Response, grpc::ServerBidiReactor<Request, Response>>(context, lane),
        question_(std::move(question)),
        held_(lane.questions) {
    if (this->Admitted()) this->StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return this->Start([this] { return question_->Finish(); });
    }
    this->silence().Heard();
    const absl::Status added = WithinMemory([&]() -> absl::Status {
      if (!held_.Take(message_.SpaceUsedLong())) return this->lane().TooManyBytes();
      return question_->Add(message_);
    });
    if (added.ok()) return this->StartRead(&message_);
    Request().Swap(&message_);
    this->Finish(ToGrpc(added));
  }

 private:
  const std::unique_ptr<StreamQuestion<Request, Response>> question_;
  ByteBudget::Share held_;
  Request message_;
};

}  // namespace gridsweep::analysis

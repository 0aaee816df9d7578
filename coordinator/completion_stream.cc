// CompleteRun: the whole stream is kept in memory before its one transaction,
// so that a stalled worker holds neither a thread nor a connection. All streams share a budget.
#include "common/call_memory.h"
#include "common/stall_alarm.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/dispatch_service.h"
#include "coordinator/store/results.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);

class CompletionReactor final : public grpc::ServerReadReactor<v1::CompleteRunRequest> {
 public:
  CompletionReactor(const DispatchParts& parts, const DispatchSettings& settings,
                    ByteBudget& buffered, grpc::CallbackServerContext* context,
                    v1::CompleteRunResponse* response)
      : parts_(parts),
        settings_(settings),
        response_(response),
        held_(buffered),
        stalled_(context, settings.longest_silence) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (cancelled_) return Finish(grpc::Status::CANCELLED);
    if (!ok) {
      stalled_.Finished();
      return Store();
    }
    stalled_.Heard();
    if (absl::Status fits = Hold(message_.SpaceUsedLong()); !fits.ok()) {
      // In memory a message may be fifty times its bytes.
      v1::CompleteRunRequest().Swap(&message_);
      return Finish(ToGrpc(fits));
    }
    messages_.push_back(std::move(message_));
    message_.Clear();
    StartRead(&message_);
  }

  // The read that is in progress then ends.
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  // Counts `bytes` more as held.
  absl::Status Hold(size_t bytes) {
    if (held_.taken() + bytes > settings_.max_completion_bytes) {
      return Refused(absl::ResourceExhaustedError(
          StrCat("the result is larger than ", settings_.max_completion_bytes, " bytes")));
    }
    if (!held_.Take(bytes)) {
      return WithRetryAfter(
          absl::ResourceExhaustedError(StrCat("results of ", settings_.max_buffered_bytes,
                                              " bytes are on their way already; send it again")),
          kRetryAfter);
    }
    return absl::OkStatus();
  }

  void Store() {
    const bool queued = parts_.lanes.complete.Submit(
        [this](Database& database) {
          Finish(ToGrpc(WithVerdict(WithinMemory([&] { return StoreIn(database); }))));
        });
    if (!queued) Finish(ToGrpc(parts_.lanes.complete.Full()));
  }

  absl::Status StoreIn(Database& database) {
    RETURN_IF_ERROR(Hold(CompletionBytes(messages_)));
    ASSIGN_OR_RETURN(const Completion completion, AssembleCompletion(messages_));
    std::vector<v1::CompleteRunRequest>().swap(messages_);
    ASSIGN_OR_RETURN(const bool recorded, CompleteRun(database, completion));
    response_->set_already_recorded(recorded);
    if (!recorded) {
      parts_.counters.Finished(completion.header.outcome() == v1::OUTCOME_SUCCEEDED);
    }
    parts_.board.Forget(completion.header.ref().run_id());
    parts_.matcher.RoomAppeared();
    return absl::OkStatus();
  }

  const DispatchParts& parts_;
  const DispatchSettings& settings_;
  v1::CompleteRunResponse* const response_;
  v1::CompleteRunRequest message_;
  std::vector<v1::CompleteRunRequest> messages_;
  ByteBudget::Share held_;
  std::atomic<bool> cancelled_ = false;
  StallAlarm stalled_;
};

}  // namespace

grpc::ServerReadReactor<v1::CompleteRunRequest>* NewCompletion(const DispatchParts& parts,
                                                               const DispatchSettings& settings,
                                                               ByteBudget& buffered,
                                                               grpc::CallbackServerContext* context,
                                                               v1::CompleteRunResponse* response) {
  return new CompletionReactor(parts, settings, buffered, context, response);
}

}  // namespace gridsweep::coordinator

// LoadCheckpoint: a chunk is read from disk when the last one is written.
#include <cerrno>
#include <cstring>
#include <fstream>

#include "common/call_memory.h"
#include "common/stall_alarm.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/dispatch_service.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/fields.h"

namespace gridsweep::coordinator {
namespace {

constexpr size_t kChunk = size_t{1} << 16;

class CheckpointReactor final : public grpc::ServerWriteReactor<v1::LoadCheckpointResponse> {
 public:
  CheckpointReactor(const DispatchParts& parts, const DispatchSettings& settings,
                    grpc::CallbackServerContext* context, const v1::LoadCheckpointRequest& request)
      : parts_(parts), request_(request), silence_(context, settings.longest_silence) {
    Next();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Next();
  }
  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  void Next() {
    silence_.Suspend();
    const bool queued = parts_.lanes.upload.Submit([this](Database& database) {
      if (cancelled_) return Finish(grpc::Status::CANCELLED);
      const absl::StatusOr<bool> more = WithinMemory([&] { return Read(database); });
      if (more.ok() && *more) {
        silence_.Heard();
        return StartWrite(&response_);
      }
      Finish(ToGrpc(WithVerdict(more.status())));
    });
    if (!queued) Finish(ToGrpc(parts_.lanes.upload.Full()));
  }

  // The next chunk; false at the end of the file.
  absl::StatusOr<bool> Read(Database& database) {
    if (!file_.is_open()) RETURN_IF_ERROR(Open(database));
    std::string& chunk = *response_.mutable_chunk();
    chunk.resize(kChunk);
    file_.read(chunk.data(), static_cast<std::streamsize>(kChunk));
    chunk.resize(static_cast<size_t>(file_.gcount()));
    if (file_.bad()) return Unreadable();
    return !chunk.empty();
  }

  absl::Status Open(Database& database) {
    RETURN_IF_ERROR(CheckRef("ref", request_.ref()));
    RETURN_IF_ERROR(CheckSha256("sha256", request_.sha256()));
    ASSIGN_OR_RETURN(const bool has,
                     HasCheckpoint(database, {request_.ref().run_id(), request_.ref().token()},
                                   request_.sha256()));
    const auto path = parts_.artifacts.Open(request_.sha256());
    if (!has || absl::IsNotFound(path.status())) {
      return WithReason(
          absl::NotFoundError(StrCat("run ", request_.ref().run_id(),
                                     " has no checkpoint of that hash: start over")),
          kCheckpointUnknown);
    }
    RETURN_IF_ERROR(path.status());
    file_.open(*path, std::ios::binary);
    file_.seekg(static_cast<std::streamoff>(request_.offset()));
    return file_.good() ? absl::OkStatus() : Unreadable();
  }

  // It may be another time.
  static absl::Status Unreadable() {
    return absl::UnavailableError(
        StrCat("the checkpoint cannot be read from disk: ", std::strerror(errno)));
  }

  const DispatchParts& parts_;
  const v1::LoadCheckpointRequest request_;
  v1::LoadCheckpointResponse response_;
  std::ifstream file_;
  std::atomic<bool> cancelled_ = false;
  StallAlarm silence_;
};

}  // namespace

grpc::ServerWriteReactor<v1::LoadCheckpointResponse>* NewCheckpointDownload(
    const DispatchParts& parts, const DispatchSettings& settings,
    grpc::CallbackServerContext* context, const v1::LoadCheckpointRequest& request) {
  return new CheckpointReactor(parts, settings, context, request);
}

}  // namespace gridsweep::coordinator

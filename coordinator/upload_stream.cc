// UploadArtifact: chunks go to the lane one at a time, and the next is read
// when the last is on disk.
#include "common/strings.h"
#include "coordinator/dispatch_service.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/results.h"

namespace gridsweep::coordinator {
namespace {

constexpr size_t kMaxChunk = size_t{1} << 20;

class UploadReactor final : public grpc::ServerReadReactor<v1::UploadArtifactRequest> {
 public:
  UploadReactor(const DispatchParts& parts, const DispatchSettings& settings,
                v1::UploadArtifactResponse* response)
      : parts_(parts), settings_(settings), response_(response) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (cancelled_) return Finish(grpc::Status::CANCELLED);
    const bool queued = parts_.lanes.upload.Submit([this, ok](Database& database) {
      const absl::StatusOr<bool> more = ok ? Take(database) : End(database);
      if (more.ok() && *more) return StartRead(&message_);
      Finish(ToGrpc(more.status()));
    });
    if (!queued) Finish(ToGrpc(parts_.lanes.upload.Full()));
  }

  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { delete this; }

 private:
  // One message; whether there is more to read.
  absl::StatusOr<bool> Take(Database& database) {
    if (message_.has_header()) {
      if (upload_ != nullptr) return InvalidField("header", "comes once, first");
      return Begin(database, message_.header());
    }
    if (upload_ == nullptr) return InvalidField("header", "must be the first message");
    const std::string& chunk = message_.chunk();
    if (chunk.size() > kMaxChunk) {
      return InvalidField("chunk", StrCat(chunk.size(), " bytes; at most 1 MiB"));
    }
    received_ += chunk.size();
    if (received_ > header_.size()) {
      return InvalidField("chunk", StrCat("more than the announced ", header_.size(), " bytes"));
    }
    RETURN_IF_ERROR(upload_->Append(chunk));
    return true;
  }

  absl::StatusOr<bool> Begin(Database& database, const v1::UploadArtifactRequest::Header& header) {
    header_ = header;
    if (header.sha256().size() != 32) return InvalidField("header.sha256", "must have 32 bytes");
    RETURN_IF_ERROR(CheckRef("header.ref", header.ref()));
    if (header.kind() != "result") return InvalidField("header.kind", "must be \"result\"");
    if (header.size() > settings_.max_artifact_bytes) {
      return absl::ResourceExhaustedError(
          StrCat("header.size: ", header.size(), " bytes; at most ", settings_.max_artifact_bytes));
    }
    ASSIGN_OR_RETURN(const bool named, TouchArtifact(database, Key(), header.sha256()));
    if (named && parts_.artifacts.Has(header.sha256())) {
      response_->set_already_stored(true);
      return false;
    }
    ASSIGN_OR_RETURN(upload_, parts_.artifacts.Begin());
    return true;
  }

  absl::StatusOr<bool> End(Database& database) {
    if (upload_ == nullptr) return InvalidField("header", "the stream ended without one");
    if (received_ != header_.size()) {
      return absl::DataLossError(
          StrCat("the upload ended after ", received_, " of ", header_.size(), " bytes"));
    }
    RETURN_IF_ERROR(upload_->Commit(header_.sha256()));
    RETURN_IF_ERROR(RecordArtifact(database, Key(), header_.sha256(), received_, header_.kind()));
    if (!parts_.artifacts.Has(header_.sha256())) {
      return absl::UnavailableError("the file was garbage of a deleted run and went; upload again");
    }
    return false;
  }

  LeaseKey Key() const { return {header_.ref().run_id(), header_.ref().token()}; }

  const DispatchParts& parts_;
  const DispatchSettings& settings_;
  v1::UploadArtifactResponse* const response_;
  v1::UploadArtifactRequest message_;
  v1::UploadArtifactRequest::Header header_;
  std::unique_ptr<ArtifactUpload> upload_;
  uint64_t received_ = 0;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

grpc::ServerReadReactor<v1::UploadArtifactRequest>* NewUpload(
    const DispatchParts& parts, const DispatchSettings& settings,
    v1::UploadArtifactResponse* response) {
  return new UploadReactor(parts, settings, response);
}

}  // namespace gridsweep::coordinator

// UploadArtifact and SaveCheckpoint: chunks go to the lane one at a time, and the
// next is read when the last is on disk.
#include "common/byte_budget.h"
#include "common/call_memory.h"
#include "common/stall_alarm.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/dispatch_service.h"
#include "coordinator/file_check.h"
#include "coordinator/store/artifact_uploads.h"
#include "coordinator/store/checkpoints.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/results.h"

namespace gridsweep::coordinator {
namespace {

constexpr size_t kMaxChunk = size_t{1} << 20;
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// What is sent, apart from how.
struct ArtifactKind {
  using Request = v1::UploadArtifactRequest;
  using Response = v1::UploadArtifactResponse;
  static constexpr char kPath[] = "header";
  static constexpr char kName[] = "result";
  static const Request::Header& FileOf(const Request::Header& header) { return header; }
  static uint64_t MostBytes(const DispatchSettings& settings) {
    return settings.max_artifact_bytes;
  }
  static absl::Status Check(const Request::Header& header) {
    return header.kind() == "result" ? absl::OkStatus()
                                     : InvalidField("header.kind", "must be \"result\"");
  }
  static absl::Status Record(Database& database, const LeaseKey& key,
                             const Request::Header& header) {
    return RecordArtifact(database, key, header.sha256(), header.size(), header.kind());
  }
};

struct CheckpointKind {
  using Request = v1::SaveCheckpointRequest;
  using Response = v1::SaveCheckpointResponse;
  static constexpr char kPath[] = "header.checkpoint";
  static constexpr char kName[] = "checkpoint";
  static const v1::CheckpointRef& FileOf(const Request::Header& header) {
    return header.checkpoint();
  }
  static uint64_t MostBytes(const DispatchSettings& settings) {
    return settings.max_checkpoint_bytes;
  }
  static absl::Status Check(const Request::Header& header) {
    const v1::CheckpointRef& checkpoint = header.checkpoint();
    RETURN_IF_ERROR(CheckSize("header.checkpoint.step", checkpoint.step(), 64));
    RETURN_IF_ERROR(CheckText("header.checkpoint.numerics_id", checkpoint.numerics_id()));
    return CheckSize("header.checkpoint.science_version", checkpoint.science_version(), 32);
  }
  static absl::Status Record(Database& database, const LeaseKey& key,
                             const Request::Header& header) {
    return RecordCheckpoint(database, key, header.checkpoint());
  }
};

template <class Kind>
class UploadReactor final : public grpc::ServerReadReactor<typename Kind::Request> {
 public:
  UploadReactor(const DispatchParts& parts, const DispatchSettings& settings, ByteBudget& places,
                grpc::CallbackServerContext* context, typename Kind::Response* response)
      : parts_(parts),
        settings_(settings),
        response_(response),
        place_(places),
        stalled_(context, settings.longest_silence) {
    this->StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (cancelled_) return this->Finish(grpc::Status::CANCELLED);
    ok ? stalled_.Heard() : stalled_.Finished();
    const bool queued = parts_.lanes.upload.Submit([this, ok](Database& database) {
      const absl::StatusOr<bool> more =
          WithinMemory([&] { return ok ? Take(database) : End(database); });
      if (more.ok() && *more) return this->StartRead(&message_);
      this->Finish(ToGrpc(WithVerdict(more.status())));
    });
    if (!queued) this->Finish(ToGrpc(parts_.lanes.upload.Full()));
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
    if (received_ > File().size()) {
      return InvalidField("chunk", StrCat("more than the announced ", File().size(), " bytes"));
    }
    RETURN_IF_ERROR(upload_->Append(chunk));
    return true;
  }

  absl::StatusOr<bool> Begin(Database& database, const typename Kind::Request::Header& header) {
    header_ = header;
    const std::string path = Kind::kPath;
    RETURN_IF_ERROR(CheckSha256(path + ".sha256", File().sha256()));
    RETURN_IF_ERROR(CheckRef("header.ref", header.ref()));
    RETURN_IF_ERROR(Kind::Check(header));
    if (File().size() > Kind::MostBytes(settings_)) {
      return Refused(absl::ResourceExhaustedError(
          StrCat(path, ".size: ", File().size(), " bytes; at most ", Kind::MostBytes(settings_))));
    }
    if (header.offset() > File().size()) {
      return InvalidField("header.offset", StrCat(header.offset(), " is beyond the file's ",
                                                  File().size(), " bytes"));
    }
    if (!place_.Take(1)) {
      return WithRetryAfter(
          absl::ResourceExhaustedError(StrCat("files of ", settings_.max_uploads,
                                              " calls are on their way already; send it again")),
          kRetryAfter);
    }
    ASSIGN_OR_RETURN(const bool stored, Announce(database));
    if (stored && parts_.artifacts.Has(File().sha256())) {
      RETURN_IF_ERROR(Record(database));
      response_->set_already_stored(true);
      return false;
    }
    ASSIGN_OR_RETURN(upload_,
                     parts_.artifacts.Begin({header.ref().token(), File().sha256()},
                                            header.offset()));
    received_ = header.offset();
    return true;
  }

  absl::StatusOr<bool> End(Database& database) {
    if (upload_ == nullptr) return InvalidField("header", "the stream ended without one");
    if (received_ != File().size()) {
      return absl::DataLossError(
          StrCat("the upload ended after ", received_, " of ", File().size(), " bytes"));
    }
    // Again: of a lease that has ended meanwhile nothing may come into the store.
    RETURN_IF_ERROR(Announce(database).status());
    RETURN_IF_ERROR(upload_->Commit());
    RETURN_IF_ERROR(CheckFile(parts_.reader, parts_.artifacts, File().sha256(), Kind::kPath));
    parts_.counters.artifact_bytes.Increment(static_cast<double>(received_));
    RETURN_IF_ERROR(Record(database));
    return false;
  }

  absl::StatusOr<bool> Announce(Database& database) {
    return AnnounceArtifact(database, Key(), File().sha256(), Kind::kName);
  }

  // Names the stored file. What the garbage collector was at is there no more.
  absl::Status Record(Database& database) {
    if (absl::Status status = Kind::Record(database, Key(), header_); !status.ok()) {
      if (IsLeaseLost(status)) (void)AbandonArtifacts(database, {File().sha256()});
      return status;
    }
    if (parts_.artifacts.Has(File().sha256())) return absl::OkStatus();
    return absl::UnavailableError("the file was garbage of a deleted run and went; upload again");
  }

  // Size and hash of what is sent.
  const auto& File() const { return Kind::FileOf(header_); }
  LeaseKey Key() const { return {header_.ref().run_id(), header_.ref().token()}; }

  const DispatchParts& parts_;
  const DispatchSettings& settings_;
  typename Kind::Response* const response_;
  typename Kind::Request message_;
  typename Kind::Request::Header header_;
  ByteBudget::Share place_;
  std::unique_ptr<ArtifactUpload> upload_;
  uint64_t received_ = 0;
  std::atomic<bool> cancelled_ = false;
  StallAlarm stalled_;
};

}  // namespace

grpc::ServerReadReactor<v1::UploadArtifactRequest>* NewUpload(
    const DispatchParts& parts, const DispatchSettings& settings, ByteBudget& places,
    grpc::CallbackServerContext* context, v1::UploadArtifactResponse* response) {
  return new UploadReactor<ArtifactKind>(parts, settings, places, context, response);
}

grpc::ServerReadReactor<v1::SaveCheckpointRequest>* NewCheckpointUpload(
    const DispatchParts& parts, const DispatchSettings& settings, ByteBudget& places,
    grpc::CallbackServerContext* context, v1::SaveCheckpointResponse* response) {
  return new UploadReactor<CheckpointKind>(parts, settings, places, context, response);
}

}  // namespace gridsweep::coordinator

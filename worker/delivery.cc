#include "worker/delivery.h"

#include <algorithm>
#include <chrono>

#include "common/log.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::worker {
namespace {

// A result that has not arrived after this is safer on disk.
constexpr absl::Duration kAtOnce = absl::Seconds(15);
constexpr absl::Duration kFromSpool = absl::Seconds(60);
constexpr absl::Duration kRelease = absl::Seconds(15);
// Short against a lease time: leases of what waits end one lease time after an outage.
constexpr auto kPause = std::chrono::milliseconds(500);
constexpr auto kLookAgain = std::chrono::milliseconds(200);
// Upload and completion together are tried again this often when the
// coordinator no longer has the file by the time that the result names it.
constexpr int kUploads = 3;

bool Always() { return true; }

absl::Status HandIn(const FinishedRun& run, const std::function<void(uint64_t chunks)>& on_chunk,
                    const DispatchClient::Patience& patience, DispatchClient& client) {
  const std::string& sha256 = run.header.artifacts(0).sha256();
  absl::Status status;
  for (int i = 0; i < kUploads; ++i) {
    status = client.UploadArtifact(run.ref(), run.artifact, sha256, on_chunk, patience);
    // The lease is gone also where the result had arrived and only the answer had not.
    if (!status.ok() && !IsLeaseLost(status)) return status;
    status = client.CompleteRun(run.header, run.units, patience).status();
    if (!absl::IsFailedPrecondition(status) || IsLeaseLost(status)) break;
  }
  return status;
}

}  // namespace

Delivery::Delivery(DispatchClient& client, HeldLeases& held, std::optional<Spool> spool)
    : client_(client), held_(held), spool_(std::move(spool)) {
  if (spool_) {
    for (auto& file : spool_->List()) waiting_.push_back({std::move(file), ""});
    legacy_ = waiting_.size();
    if (legacy_ > 0) {
      spdlog::info("{} runs wait in {} and are handed in first", legacy_,
                   spool_->directory().string());
    }
  }
  thread_ = std::thread([this] { Loop(); });
}

Delivery::~Delivery() {
  Stop();
  thread_.join();
}

absl::Status Delivery::Send(const HeldLease& held, const FinishedRun& run,
                            std::optional<absl::Duration> once) {
  RunMonitor& monitor = *held.monitor;
  {
    MutexLock lock(mutex_);
    sending_.insert(&run);
  }
  // A worker that goes still hands in what is finished, while it has time.
  const auto wanted = [&] { return monitor.stop_reason() != StopReason::kCancelled; };
  const absl::Status status = HandIn(
      run, [&](uint64_t chunks) { monitor.SetPhaseDone(chunks); }, {wanted, once}, client_);
  MutexLock lock(mutex_);
  sending_.erase(&run);
  return status;
}

absl::StatusOr<Delivery::Fate> Delivery::Deliver(const HeldLease& held, const FinishedRun& run) {
  held.monitor->SetPhase(Phase::kUploading);
  const absl::Status status = Send(held, run, kAtOnce);
  if (status.ok()) return Fate::kAccepted;
  if (!DispatchClient::MaySucceedLater(status) ||
      held.monitor->stop_reason() == StopReason::kCancelled) {
    return status;
  }
  if (spool_) {
    auto file = spool_->Write(run);
    if (file.ok()) {
      spdlog::warn("run {}: no coordinator takes its result ({}); it waits in {}",
                   run.ref().run_id(), status.ToString(), file->string());
      held_.SetSpooled(run.ref().token());
      MutexLock lock(mutex_);
      waiting_.push_back({*std::move(file), run.ref().token()});
      changed_.notify_all();
      return Fate::kSpooled;
    }
    spdlog::error("run {}: its result waits in memory, in its slot: {}", run.ref().run_id(),
                  file.status().ToString());
  }
  RETURN_IF_ERROR(Send(held, run, std::nullopt));
  return Fate::kAccepted;
}

void Delivery::SpoolWhatIsSent() {
  MutexLock lock(mutex_);
  if (!spool_) return;
  for (const FinishedRun* run : sending_) {
    const auto file = spool_->Write(*run);
    if (file.ok()) {
      spdlog::warn("run {}: its result did not arrive in time; it waits in {}", run->ref().run_id(),
                   file->string());
      held_.SetSpooled(run->ref().token());
    } else {
      spdlog::error("run {}: its result is lost: {}", run->ref().run_id(),
                    file.status().ToString());
    }
  }
}

void Delivery::WaitForLegacy(const DispatchClient::Wanted& wanted) {
  MutexLock lock(mutex_);
  while (legacy_ > 0 && wanted()) changed_.wait_for(mutex_, kLookAgain);
}

void Delivery::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Delivery::Ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

void Delivery::Loop() {
  for (;;) {
    Waiting next;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) changed_.wait(mutex_);
      if (waiting_.empty()) break;
      next = waiting_.front();
    }
    const bool done = HandInFile(next.file);
    if (done) held_.Remove(next.token);
    MutexLock lock(mutex_);
    if (done) {
      waiting_.pop_front();
      if (legacy_ > 0) --legacy_;
      changed_.notify_all();
    } else if (stopping_) {
      spdlog::warn("{} runs stay in {} for this worker's next start", waiting_.size(),
                   spool_->directory().string());
      break;
    } else {
      changed_.wait_for(mutex_, kPause);
    }
  }
  MutexLock lock(mutex_);
  ended_ = true;
}

void Delivery::Keep(const LeftRun& run) {
  if (!spool_) return;
  const auto file = spool_->Write(run);
  if (file.ok()) {
    spdlog::info("run {}: what it has done waits in {}", run.ref.run_id(), file->string());
  } else {
    spdlog::warn("run {}: goes back to its last checkpoint: {}", run.ref.run_id(),
                 file.status().ToString());
  }
}

bool Delivery::HandInFile(const std::filesystem::path& file) {
  const auto read = Spool::Read(file);
  if (!read.ok()) {
    spdlog::error("{}; it is now {}", read.status().ToString(), Spool::SetAside(file).string());
    return true;
  }
  const auto* finished = std::get_if<FinishedRun>(&*read);
  const absl::Status status =
      finished != nullptr ? HandInResult(*finished, file) : GiveBack(std::get<LeftRun>(*read));
  if (DispatchClient::MaySucceedLater(status)) return false;
  Spool::Remove(file);
  return true;
}

absl::Status Delivery::HandInResult(const FinishedRun& run, const std::filesystem::path& file) {
  const int64_t run_id = run.ref().run_id();
  const absl::Status status = HandIn(run, nullptr, {.wanted = Always, .once = kFromSpool}, client_);
  if (DispatchClient::MaySucceedLater(status)) return status;
  if (status.ok()) {
    spdlog::info("run {}: its result has arrived, from the spool", run_id);
  } else if (IsLeaseLost(status)) {
    spdlog::warn("run {}: its lease has ended meanwhile; its result is dropped", run_id);
  } else {
    spdlog::error("run {}: its result is refused, and now {}: {}", run_id,
                  Spool::SetAside(file).string(), status.ToString());
    v1::FailRunRequest request;
    *request.mutable_ref() = run.ref();
    request.set_error(status.ToString());
    const auto failed = client_.FailRun(request, Always);
    if (!failed.ok()) spdlog::warn("run {}: {}", run_id, failed.status().ToString());
  }
  return status;
}

absl::Status Delivery::GiveBack(const LeftRun& run) {
  if (!run.bytes.empty()) {
    const absl::Status saved = client_.SaveCheckpoint(run.ref, run.checkpoint, run.bytes, Always);
    if (DispatchClient::MaySucceedLater(saved)) return saved;
    spdlog::info("run {}: checkpoint of step {} from the spool: {}", run.ref.run_id(),
                 run.checkpoint.step(), saved.ToString());
  }
  v1::ReleaseRunsRequest request;
  *request.add_refs() = run.ref;
  request.set_reason(v1::RELEASE_REASON_PREEMPTED);
  return client_.ReleaseRuns(request, kRelease);
}

}  // namespace gridsweep::worker

#include "worker/delivery.h"

#include <algorithm>
#include <chrono>

#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/verdict.h"

namespace gridsweep::worker {
namespace {

// A result that has not arrived after this is safer on disk.
constexpr absl::Duration kAtOnce = absl::Seconds(15);
constexpr absl::Duration kFromSpool = absl::Minutes(2);
constexpr absl::Duration kRelease = absl::Seconds(15);
// A file that makes no way keeps one of them busy. Each holds a file in memory.
constexpr int kThreads = 3;
// After a failure, of the thread and of the file: heartbeats keep the leases of what waits.
constexpr std::chrono::milliseconds kPause{500}, kLongestPause{10'000};
// Upload and completion together are tried again this often when the
// coordinator no longer has the file by the time that the result names it.
constexpr int kUploads = 3;

absl::Status HandIn(const FinishedRun& run, const std::function<void(uint64_t chunks)>& on_chunk,
                    const DispatchClient::Patience& patience, DispatchClient& client) {
  const std::string& sha256 = run.header.artifacts(0).sha256();
  absl::Status status;
  for (int i = 0; i < kUploads; ++i) {
    status = client.UploadArtifact(run.ref(), run.artifact, sha256, on_chunk, patience);
    if (absl::IsDataLoss(status) && Sha256::Of(run.artifact) != sha256) return Refused(status);
    // The lease is gone also where the result had arrived and only the answer had not.
    if (!status.ok() && !IsLeaseLost(status)) return status;
    status = client.CompleteRun(run.header, run.units, patience).status();
    if (Reason(status) != kArtifactUnknown) break;
  }
  return status;
}

}  // namespace

Delivery::Delivery(DispatchClient& client, HeldLeases& held, std::optional<Spool> spool,
                   DeliveryHooks hooks)
    : client_(client), held_(held), spool_(std::move(spool)), hooks_(std::move(hooks)) {
  if (!spool_) return;
  for (auto& file : spool_->List()) {
    HeldLease left;
    left.monitor = std::make_shared<RunMonitor>();
    left.monitor->SetPhase(Phase::kUploading);
    left.spooled = true;
    if (const auto ref = Spool::LeaseOf(file)) {
      *left.lease.mutable_ref() = *ref;
      left_.push_back(*ref);
      held_.Add(left);
    }
    Add(std::move(file), left);
  }
  {
    MutexLock lock(mutex_);
    if (Count() > 0) {
      spdlog::info("{} runs wait in {} and are handed in", Count(), spool_->directory().string());
    }
    running_ = kThreads;
  }
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Loop(); });
}

Delivery::~Delivery() {
  Stop();
  for (std::thread& thread : threads_) thread.join();
}

void Delivery::Add(std::filesystem::path file, const HeldLease& held) {
  MutexLock lock(mutex_);
  waiting_.push_back(
      {std::move(file), held.lease.ref().token(), held.monitor, {}, kPause});
  hooks_.waiting(Count());
  changed_.notify_all();
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
      run, [&](uint64_t chunks) { monitor.SetPhaseDone(chunks); },
      {.wanted = wanted, .once = once, .again = !once}, client_);
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
      hooks_.failed(status);
      held_.SetSpooled(run.ref().token());
      Add(*std::move(file), held);
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

void Delivery::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Delivery::Ended() const {
  MutexLock lock(mutex_);
  return running_ == 0;
}

std::optional<Delivery::Waiting> Delivery::Next() {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopping_ && (given_up_ || waiting_.empty())) return std::nullopt;
    const auto now = std::chrono::steady_clock::now();
    auto soonest = now + kLongestPause;
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      soonest = std::min(soonest, at->next);
      if (at->next > now && !stopping_) continue;
      Waiting next = std::move(*at);
      waiting_.erase(at);
      ++in_hand_;
      return next;
    }
    changed_.wait_until(mutex_, soonest);
  }
}

void Delivery::Loop() {
  while (auto next = Next()) {
    const absl::Status status = HandInFile(*next);
    if (status.ok()) held_.Remove(next->token);
    if (!status.ok()) hooks_.failed(status);
    size_t waiting = 0;
    bool stopping = false;
    {
      MutexLock lock(mutex_);
      --in_hand_;
      stopping = stopping_;
      given_up_ = given_up_ || (stopping && !status.ok());
      if (!status.ok()) {
        next->next = std::chrono::steady_clock::now() + next->pause;
        next->pause = std::min(2 * next->pause, kLongestPause);
        waiting_.push_back(std::move(*next));
      }
      waiting = Count();
      hooks_.waiting(waiting);
      changed_.notify_all();
    }
    if (status.ok() || stopping) continue;
    complaints_.Log(StrCat(waiting, " runs wait in ", spool_->directory().string()), status);
    // Where all fail, files are not read again and again.
    const auto until = std::chrono::steady_clock::now() + kPause;
    MutexLock lock(mutex_);
    while (!stopping_ && std::chrono::steady_clock::now() < until) {
      changed_.wait_until(mutex_, until);
    }
  }
  MutexLock lock(mutex_);
  if (--running_ == 0 && !waiting_.empty()) {
    spdlog::warn("{} runs stay in {} for this worker's next start", waiting_.size(),
                 spool_->directory().string());
  }
}

void Delivery::Keep(const LeftRun& run) {
  if (!spool_) return;
  const auto file = spool_->Write(run);
  if (file.ok()) {
    const std::string what = run.bytes.empty()
                                 ? "that it is given back"
                                 : StrCat("its checkpoint of step ", run.checkpoint.step());
    spdlog::info("run {}: {} waits in {}", run.ref.run_id(), what, file->string());
  } else {
    spdlog::warn("run {}: goes back to its last checkpoint: {}", run.ref.run_id(),
                 file.status().ToString());
  }
}

absl::Status Delivery::HandInFile(const Waiting& waiting) {
  const auto read = Spool::Read(waiting.file);
  if (!read.ok()) {
    spdlog::error("{}; it is now {}", read.status().ToString(),
                  Spool::SetAside(waiting.file).string());
    return absl::OkStatus();
  }
  const auto* finished = std::get_if<FinishedRun>(&*read);
  const v1::LeaseRef& ref = finished != nullptr ? finished->ref() : std::get<LeftRun>(*read).ref;
  const auto cancelled = [&] { return waiting.monitor->stop_reason() == StopReason::kCancelled; };
  absl::Status status;
  if (!cancelled()) {
    status = finished != nullptr ? HandInResult(*finished, waiting)
                                 : GiveBack(std::get<LeftRun>(*read), waiting);
  }
  if (cancelled()) {
    spdlog::warn("run {}: it is cancelled, or its lease has ended meanwhile; its result is dropped",
                 ref.run_id());
    v1::ReleaseRunsRequest request;
    *request.add_refs() = ref;
    // Else two heartbeats without it do.
    (void)client_.ReleaseRuns(request, kRelease);
  } else if (DispatchClient::MaySucceedLater(status)) {
    return status;
  }
  Spool::Remove(waiting.file);
  return absl::OkStatus();
}

absl::Status Delivery::HandInResult(const FinishedRun& run, const Waiting& waiting) {
  const int64_t run_id = run.ref().run_id();
  const auto wanted = [&] { return waiting.monitor->stop_reason() != StopReason::kCancelled; };
  const absl::Status status =
      HandIn(run, nullptr, {.wanted = wanted, .once = kFromSpool, .again = true}, client_);
  if (DispatchClient::MaySucceedLater(status)) return status;
  if (status.ok()) {
    spdlog::info("run {}: its result has arrived, from the spool", run_id);
  } else if (IsLeaseLost(status)) {
    spdlog::warn("run {}: its lease has ended meanwhile; its result is dropped", run_id);
  } else {
    v1::FailRunRequest request;
    *request.mutable_ref() = run.ref();
    request.set_error(status.ToString());
    const absl::Status failed =
        client_.FailRun(request, {.wanted = wanted, .once = kRelease}).status();
    if (DispatchClient::MaySucceedLater(failed)) return failed;
    spdlog::error("run {}: its result is refused, and now {}: {}", run_id,
                  Spool::SetAside(waiting.file).string(), status.ToString());
  }
  return status;
}

absl::Status Delivery::GiveBack(const LeftRun& run, const Waiting& waiting) {
  if (!run.bytes.empty()) {
    const auto wanted = [&] { return waiting.monitor->stop_reason() != StopReason::kCancelled; };
    const absl::Status saved =
        client_.SaveCheckpoint(run.ref, run.checkpoint, run.bytes, wanted, /*again=*/true);
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

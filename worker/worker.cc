#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>

#include "common/duration.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "worker/lease_runner.h"

namespace gridsweep::worker {
namespace {

constexpr uint32_t kMostRunsAtOnce = 64;
constexpr size_t kMostKept = 65536;  // as coordinators take
constexpr int64_t kPollSeconds = 20;
constexpr auto kLookAgain = std::chrono::milliseconds(200);
constexpr absl::Duration kErrorPause = absl::Seconds(1);
// Together under the ten seconds in which a preempted machine must be left.
constexpr absl::Duration kLongestDelivery = absl::Seconds(8);
constexpr absl::Duration kAfterDelivery = absl::Milliseconds(800);
constexpr absl::Duration kReleaseDeadline = absl::Seconds(1);

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof(name) - 1);
  return name;
}

uint64_t PhysicalBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page) : 0;
}

// What programs can still get, the page cache counted in; 0 where the system does not say.
uint64_t FreeBytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string name; file >> name;) {
    uint64_t kibibytes = 0;
    if (name == "MemAvailable:" && file >> kibibytes) return kibibytes << 10;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

v1::RegisterRequest Introduction(const WorkerOptions& options) {
  v1::RegisterRequest request;
  request.set_name(options.name);
  request.set_slots(static_cast<uint32_t>(options.slots));
  request.set_resource_class(integrator::UsesGpu() ? "gpu" : "cpu");
  request.set_memory_bytes(PhysicalBytes());
  request.set_numerics_id(integrator::NumericsId());
  request.set_version(options.version);
  request.set_science_version(science::kScienceVersion);
  for (const std::string& feature : integrator::SupportedFeatures()) request.add_features(feature);
  request.set_host(HostName());
  return request;
}

}  // namespace

Worker::Worker(const std::shared_ptr<grpc::Channel>& channel,
               const std::shared_ptr<grpc::Channel>& streams, WorkerOptions options)
    : options_(std::move(options)),
      client_(channel, streams),
      session_(client_, Introduction(options_)) {}

Worker::~Worker() = default;

void Worker::Start() {
  {
    MutexLock lock(mutex_);
    idle_since_ = absl::Now();
    slots_running_ = options_.slots;
  }
  delivery_ = std::make_unique<Delivery>(client_, held_, options_.spool, options_.delivery);
  for (int i = 0; i < options_.slots; ++i) slots_.emplace_back([this] { SlotLoop(); });
  leasing_ = std::thread([this] { LeaseLoop(); });
}

bool Worker::Done() {
  if (session_.refused()) {
    // What is on disk stays there.
    for (const HeldLease& held : held_.Unfinished()) {
      held.monitor->RequestStop(StopReason::kCancelled);
    }
    MutexLock lock(mutex_);
    draining_ = true;
  }
  if (!options_.drain_file.empty() && std::filesystem::exists(options_.drain_file)) {
    MutexLock lock(mutex_);
    draining_ = true;
  }
  const bool empty = session_.refused() ? held_.Unfinished().empty() : held_.size() == 0;
  MutexLock lock(mutex_);
  if (options_.max_runs && leased_ >= *options_.max_runs) draining_ = true;
  if (!empty) idle_since_ = absl::Now();
  if (options_.idle_timeout && absl::Now() - idle_since_ > *options_.idle_timeout) draining_ = true;
  if (!draining_) return false;
  client_.StopLeasing();
  changed_.notify_all();
  return leasing_ended_ && waiting_.empty() && empty;
}

absl::Status Worker::Ready() const {
  if (session_.refused()) return absl::UnavailableError("refused by the coordinators");
  return session_.worker_id() > 0 ? absl::OkStatus()
                                  : absl::UnavailableError("no coordinator has answered yet");
}

absl::Duration Worker::DeliveryGrace() const {
  return std::min(options_.stop_grace / 2, kLongestDelivery);
}

bool Worker::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  client_.StopLeasing();
  for (const HeldLease& held : held_.Unfinished()) {
    held.monitor->RequestStop(StopReason::kPreempted);
  }
  delivery_->Stop();

  const absl::Time start = absl::Now();
  bool aborted = false, all_ended = false;
  while (!all_ended && absl::Now() - start < DeliveryGrace() + kAfterDelivery) {
    if (!aborted && absl::Now() - start > DeliveryGrace()) {
      client_.Abort();
      aborted = true;
    }
    MutexLock lock(mutex_);
    all_ended = leasing_ended_ && slots_running_ == 0 && delivery_->Ended();
    if (!all_ended) changed_.wait_for(mutex_, kLookAgain);
  }
  if (!all_ended) {
    delivery_->SpoolWhatIsSent();
    std::vector<v1::LeaseRef> refs;
    for (const HeldLease& held : held_.Unfinished()) refs.push_back(held.lease.ref());
    spdlog::warn("{} runs did not stop in time", refs.size());
    (void)Release(refs, v1::RELEASE_REASON_PREEMPTED, kReleaseDeadline, client_);
    return false;
  }
  leasing_.join();
  for (std::thread& slot : slots_) slot.join();
  client_.Abort();
  delivery_.reset();
  heartbeat_.reset();
  return true;
}

uint32_t Worker::WaitForRoom() {
  MutexLock lock(mutex_);
  for (;;) {
    if (stopping_ || draining_) return 0;
    const size_t held = held_.Unfinished().size();
    const size_t slots = static_cast<size_t>(options_.slots);
    uint64_t room = held < slots ? slots - held : 0;
    if (options_.max_runs) room = std::min(room, *options_.max_runs - leased_);
    if (room > 0 && session_.may_lease()) {
      return static_cast<uint32_t>(std::min<uint64_t>(room, kMostRunsAtOnce));
    }
    changed_.wait_for(mutex_, kLookAgain);
  }
}

void Worker::LeaseLoop() {
  const auto wanted = [this] {
    MutexLock lock(mutex_);
    return !stopping_ && !draining_;
  };
  std::vector<v1::LeaseRef> kept = delivery_->Left();
  if (kept.size() > kMostKept) {
    spdlog::warn("{} runs wait in the spool; the leases of {} of them may end before they arrive",
                 kept.size(), kept.size() - kMostKept);
    kept.resize(kMostKept);
  }
  const absl::Status status = session_.Register(wanted, kept);
  if (status.ok()) {
    spdlog::info("registered as {} (worker {}), {} slots, {}", session_.name(),
                 session_.worker_id(), options_.slots, integrator::NumericsId());
    heartbeat_ = std::make_unique<Heartbeat>(client_, session_, held_);
  } else if (!absl::IsCancelled(status)) {
    session_.set_refused(status);
  }
  while (status.ok()) {
    const uint32_t room = WaitForRoom();
    if (room == 0) break;
    v1::LeaseRunsRequest request;
    request.set_worker_id(session_.worker_id());
    request.set_incarnation(session_.incarnation());
    request.set_request_id(RandomBytes(16));
    request.set_max_runs(room);
    request.set_free_memory_bytes(FreeBytes());
    request.set_prefer_shape_key(last_shape_key_);
    request.mutable_max_wait()->set_seconds(kPollSeconds);
    const auto response = client_.LeaseRuns(request);
    absl::Duration pause = absl::ZeroDuration();
    if (response.ok()) {
      Accept(*response);
      pause = FromProto(response->retry_after());
    } else if (!absl::IsCancelled(response.status())) {
      // If this worker is unknown or replaced, its next heartbeat hears of it and acts.
      complaints_.Log("no runs are given to this worker", response.status());
      pause = kErrorPause;
    }
    MutexLock lock(mutex_);
    if (pause > absl::ZeroDuration() && !stopping_ && !draining_) {
      changed_.wait_for(mutex_, absl::ToChronoMilliseconds(pause));
    }
  }
  MutexLock lock(mutex_);
  leasing_ended_ = true;
  changed_.notify_all();
}

void Worker::Accept(const v1::LeaseRunsResponse& response) {
  session_.set_directive(response.directive());
  std::vector<v1::LeaseRef> late;
  {
    MutexLock lock(mutex_);
    for (const v1::Lease& lease : response.leases()) {
      if (stopping_) {
        late.push_back(lease.ref());
        continue;
      }
      const uint64_t epochs = static_cast<uint64_t>(lease.config().n_epochs());
      const uint64_t steps = static_cast<uint64_t>(lease.config().n_grad_steps_per_epoch());
      HeldLease held{lease, epochs * steps, std::make_shared<RunMonitor>(options_.on_step)};
      held_.Add(held);
      last_shape_key_ = lease.shape_key();
      waiting_.push_back(std::move(held));
      ++leased_;
    }
    changed_.notify_all();
  }
  (void)Release(late, v1::RELEASE_REASON_PREEMPTED, kReleaseDeadline, client_);
}

void Worker::SlotLoop() {
  for (;;) {
    HeldLease held;
    {
      MutexLock lock(mutex_);
      // Runs that were granted but not begun are given back through RunLease, like any other.
      while (waiting_.empty() && !(stopping_ && leasing_ended_)) changed_.wait(mutex_);
      if (waiting_.empty()) {
        --slots_running_;
        changed_.notify_all();
        return;
      }
      held = std::move(waiting_.front());
      waiting_.pop_front();
    }
    RunLease(held, {DeliveryGrace(), options_.slots}, *options_.reader, client_, *delivery_, held_);
    MutexLock lock(mutex_);
    idle_since_ = absl::Now();
    changed_.notify_all();
  }
}

}  // namespace gridsweep::worker

// Simulated workers against a coordinator, over gRPC, each on a connection of its own. They train
// nothing: a run is leased, reported in one heartbeat and completed with 8 units.
//
//   bench_dispatch busy ADDRESS WORKERS SECONDS    runs a second, after a warm-up
//   bench_dispatch woken ADDRESS WORKERS ARRIVALS  WORKERS - 1 wait while one run is given back,
//                                                  again and again
//   bench_dispatch trials ADDRESS WORKERS RUNS     runs of a second each, without heartbeats: how
//                                                  long all of them take
//   bench_dispatch create ADDRESS 1 RUNS           a sweep of so many runs with 8 units
//
// Prints one JSON object. A run must have 8 units. Its artifact is SHA-256("bench n"), where n is
// its id modulo 2^18, which must be recorded.
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc.h"
#include "common/sha256.h"
#include "common/strings.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "gridsweep/v1/sweep.grpc.pb.h"

namespace gridsweep {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kUnits = 8;
// A thousand connections and what earlier workers left are not what is measured.
constexpr std::chrono::seconds kWarmUp{2};

enum class Mode { kBusy, kWoken, kTrials };

double Since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

// Its own, as in earnest: what many share is a row with many versions under a held snapshot.
int64_t ArtifactOf(int64_t run_id) { return run_id % (1 << 18); }

// What all workers of the process share.
struct Shared {
  std::atomic<int64_t> completed = 0, failed = 0;
  std::mutex mutex;
  std::condition_variable changed;
  // Of "woken": the lease that was granted last, and when.
  bool granted = false;
  v1::Lease lease;
  Clock::time_point granted_at;
};

class SimulatedWorker {
 public:
  SimulatedWorker(const std::string& address, int number, Mode mode, Shared& shared)
      : number_(number), mode_(mode), shared_(shared), incarnation_(RandomBytes(16)) {
    grpc::ChannelArguments args;
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::DispatchService::NewStub(grpc::CreateCustomChannel(
        address,
        grpc::experimental::LocalCredentials(address.rfind("unix:", 0) == 0 ? UDS : LOCAL_TCP),
        args));
  }

  void Register() {
    v1::RegisterRequest request;
    request.set_name(StrCat("bench-", number_));
    request.set_host("bench");
    request.set_incarnation(incarnation_);
    request.set_slots(1);
    v1::RegisterResponse response;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Register(&context, request, &response);
    if (!status.ok()) {
      std::fprintf(stderr, "register: %s\n", status.error_message().c_str());
      std::exit(1);
    }
    id_ = response.worker_id();
  }

  void Lease() {
    lease_request_.set_worker_id(id_);
    lease_request_.set_incarnation(incarnation_);
    lease_request_.set_request_id(RandomBytes(16));
    lease_request_.set_max_runs(1);
    lease_request_.mutable_max_wait()->set_seconds(20);
    context_ = std::make_unique<grpc::ClientContext>();
    leases_.Clear();
    stub_->async()->LeaseRuns(context_.get(), &lease_request_, &leases_,
                              [this](grpc::Status status) {
                                if (!status.ok()) {
                                  ++shared_.failed;
                                  return;
                                }
                                if (leases_.leases().empty()) return Lease();
                                if (mode_ == Mode::kBusy) return Beat();
                                if (mode_ == Mode::kTrials) return Try();
                                {
                                  const std::lock_guard lock(shared_.mutex);
                                  shared_.lease = leases_.leases(0);
                                  shared_.granted = true;
                                  shared_.granted_at = Clock::now();
                                }
                                shared_.changed.notify_all();
                                // Its next call, as a worker with a second slot would make it.
                                Lease();
                              });
  }

  void Release(const v1::Lease& lease) {
    v1::ReleaseRunsRequest request;
    *request.add_refs() = lease.ref();
    request.set_reason(v1::RELEASE_REASON_IDLE);
    v1::ReleaseRunsResponse response;
    grpc::ClientContext context;
    if (!stub_->ReleaseRuns(&context, request, &response).ok()) ++shared_.failed;
  }

 private:
  class Completion final : public grpc::ClientWriteReactor<v1::CompleteRunRequest> {
   public:
    Completion(SimulatedWorker& worker, const v1::Lease& lease) : worker_(worker), lease_(lease) {
      v1::CompleteRunRequest::Header& header = *header_.mutable_header();
      *header.mutable_ref() = lease.ref();
      header.set_outcome(v1::OUTCOME_SUCCEEDED);
      header.set_unit_count(kUnits);
      header.set_steps(static_cast<uint64_t>(lease.config().n_epochs()) *
                       static_cast<uint64_t>(lease.config().n_grad_steps_per_epoch()));
      header.set_numerics_id("bench");
      header.set_science_version(1);
      header.add_artifacts()->set_sha256(
          Sha256::Of(StrCat("bench ", ArtifactOf(lease.ref().run_id()))));
      v1::MetricColumn& column = *units_.mutable_units()->add_columns();
      column.set_metric("grid_score_60");
      for (int i = 0; i < kUnits; ++i) column.add_value(0.1 * i);
      worker.stub_->async()->CompleteRun(&context_, &response_, this);
      StartWrite(&header_);
      StartCall();
    }
    void OnWriteDone(bool ok) override {
      if (!ok || sent_) return;
      sent_ = true;
      StartWriteLast(&units_, grpc::WriteOptions());
    }
    void OnDone(const grpc::Status& status) override {
      SimulatedWorker& worker = worker_;
      const v1::Lease lease = lease_;
      delete this;
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        // As a worker does that is told to come again.
        worker.alarm_.Set(std::chrono::system_clock::now() + std::chrono::seconds(1),
                          [&worker, lease](bool) { new Completion(worker, lease); });
        return;
      }
      ++(status.ok() ? worker.shared_.completed : worker.shared_.failed);
      if (!status.ok()) std::fprintf(stderr, "complete: %s\n", status.error_message().c_str());
      worker.shared_.changed.notify_all();
      if (worker.mode_ == Mode::kBusy) worker.Lease();
    }

   private:
    SimulatedWorker& worker_;
    const v1::Lease lease_;
    grpc::ClientContext context_;
    v1::CompleteRunRequest header_, units_;
    v1::CompleteRunResponse response_;
    bool sent_ = false;
  };

  void Beat() {
    v1::HeartbeatRequest& request = beat_request_;
    request.Clear();
    request.set_worker_id(id_);
    request.set_incarnation(incarnation_);
    v1::LeaseProgress& progress = *request.add_held();
    *progress.mutable_ref() = leases_.leases(0).ref();
    progress.set_phase(v1::PHASE_TRAINING);
    progress.set_step(1);
    context_ = std::make_unique<grpc::ClientContext>();
    beat_.Clear();
    stub_->async()->Heartbeat(context_.get(), &request, &beat_, [this](grpc::Status status) {
      if (!status.ok()) ++shared_.failed;
      new Completion(*this, leases_.leases(0));
    });
  }

  // A run of a second. As with a real worker the slot is free while its result is on the way.
  void Try() {
    alarm_.Set(std::chrono::system_clock::now() + std::chrono::seconds(1), [this](bool) {
      new Completion(*this, leases_.leases(0));
      Lease();
    });
  }

  const int number_;
  const Mode mode_;
  Shared& shared_;
  const std::string incarnation_;
  std::unique_ptr<v1::DispatchService::Stub> stub_;
  int64_t id_ = 0;
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::Alarm alarm_;
  v1::LeaseRunsRequest lease_request_;
  v1::LeaseRunsResponse leases_;
  v1::HeartbeatRequest beat_request_;
  v1::HeartbeatResponse beat_;
};

void Busy(Shared& shared, double seconds) {
  const int64_t before = shared.completed;
  const auto start = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double took = Since(start);
  std::printf("{\"runs\": %lld, \"seconds\": %.3f, \"failed\": %lld}\n",
              static_cast<long long>(shared.completed - before), took,
              static_cast<long long>(shared.failed));
}

// What is `q` of the way from the least to the most.
double Quantile(std::vector<double> of, double q) {
  std::sort(of.begin(), of.end());
  return of[static_cast<size_t>(q * static_cast<double>(of.size() - 1))];
}

void Woken(Shared& shared, SimulatedWorker& releaser, int arrivals) {
  std::vector<double> since_call, since_commit;
  for (int i = 0; i <= arrivals; ++i) {
    std::unique_lock lock(shared.mutex);
    if (!shared.changed.wait_for(lock, std::chrono::seconds(30), [&] { return shared.granted; })) {
      std::fprintf(stderr, "no grant in 30 s\n");
      std::exit(1);
    }
    shared.granted = false;
    const v1::Lease lease = shared.lease;
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (i == arrivals) break;
    const auto start = Clock::now();
    releaser.Release(lease);
    const auto released = Clock::now();
    lock.lock();
    if (!shared.changed.wait_for(lock, std::chrono::seconds(30), [&] { return shared.granted; }) ||
        shared.granted_at < start) {
      std::fprintf(stderr, "no grant in 30 s, or one that nothing was released for\n");
      std::exit(1);
    }
    const auto milliseconds = [&](Clock::time_point since) {
      return std::chrono::duration<double, std::milli>(shared.granted_at - since).count();
    };
    since_call.push_back(milliseconds(start));
    // The grant may be here before the answer to the release.
    since_commit.push_back(std::max(0.0, milliseconds(released)));
  }
  std::printf(
      "{\"arrivals\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"call_p50_ms\": %.2f, "
      "\"call_p99_ms\": %.2f, \"failed\": %lld}\n",
      since_call.size(), Quantile(since_commit, 0.5), Quantile(since_commit, 0.99),
      Quantile(since_call, 0.5), Quantile(since_call, 0.99), static_cast<long long>(shared.failed));
}

void Trials(Shared& shared, Clock::time_point start, int runs) {
  std::unique_lock lock(shared.mutex);
  // With a time: what notifies does not hold the mutex.
  while (shared.completed + shared.failed < runs) {
    shared.changed.wait_for(lock, std::chrono::milliseconds(10));
  }
  std::printf("{\"runs\": %lld, \"seconds\": %.3f, \"failed\": %lld}\n",
              static_cast<long long>(shared.completed), Since(start),
              static_cast<long long>(shared.failed));
}

int Create(const std::string& address, int runs) {
  const auto stub = v1::SweepService::NewStub(Dial(address));
  v1::CreateSweepRequest request;
  request.mutable_spec()->set_name("bench");
  request.mutable_spec()->mutable_base()->set_place_field_values("gaussian");
  request.mutable_spec()->mutable_base()->set_ng(kUnits);
  request.mutable_spec()->mutable_base()->set_np(kUnits);
  request.mutable_spec()->set_seeds(static_cast<uint32_t>(runs));
  v1::CreateSweepResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub->CreateSweep(&context, request, &response);
  std::fprintf(stderr, "started\n%s\n", status.error_message().c_str());
  std::printf("{\"sweep\": %lld, \"failed\": %d}\n",
              static_cast<long long>(response.sweep().sweep_id()), status.ok() ? 0 : 1);
  return status.ok() ? 0 : 1;
}

int Main(int argc, char** argv) {
  const std::string mode = argc == 5 ? argv[1] : "";
  if (mode != "busy" && mode != "woken" && mode != "trials" && mode != "create") {
    std::fprintf(stderr, "usage: bench_dispatch busy|woken|trials|create ADDRESS WORKERS N\n");
    return 2;
  }
  const int n = std::atoi(argv[3]), amount = std::atoi(argv[4]);
  if (mode == "create") return Create(argv[2], amount);
  const Mode how = mode == "busy" ? Mode::kBusy : mode == "woken" ? Mode::kWoken : Mode::kTrials;
  Shared shared;
  std::vector<std::unique_ptr<SimulatedWorker>> workers;
  for (int i = 0; i < n; ++i) {
    workers.push_back(std::make_unique<SimulatedWorker>(argv[2], i, how, shared));
    workers.back()->Register();
  }
  const auto start = Clock::now();
  for (auto& worker : workers) worker->Lease();
  if (how == Mode::kBusy) std::this_thread::sleep_for(kWarmUp);
  std::fprintf(stderr, "started\n");
  if (how == Mode::kBusy) Busy(shared, std::atof(argv[4]));
  if (how == Mode::kTrials) Trials(shared, start, amount);
  if (how == Mode::kWoken) {
    SimulatedWorker releaser(argv[2], n, how, shared);
    Woken(shared, releaser, amount);
  }
  std::fflush(stdout);
  std::_Exit(0);  // the coordinator notices that they have gone
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) { return gridsweep::Main(argc, argv); }

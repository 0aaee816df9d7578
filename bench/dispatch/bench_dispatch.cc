// Simulated workers against a coordinator, over gRPC, each on a connection of its own. They train
// nothing: a run is leased, reported in one heartbeat and completed with 8 units.
//
//   bench_dispatch busy ADDRESS WORKERS SECONDS    runs a second
//   bench_dispatch woken ADDRESS WORKERS ARRIVALS  WORKERS - 1 wait while one run is given back,
//                                                  again and again
//   bench_dispatch create ADDRESS 1 RUNS           a sweep of so many runs with 8 units
//
// Prints one JSON object. A run must have 8 units; worker i names the artifact SHA-256("bench i"),
// which must be recorded.
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

double Since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

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
  SimulatedWorker(const std::string& address, int number, bool completes, Shared& shared)
      : number_(number), completes_(completes), shared_(shared), incarnation_(RandomBytes(16)) {
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
                                if (completes_) return Beat();
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
    Completion(SimulatedWorker& worker, const v1::Lease& lease) : worker_(worker) {
      v1::CompleteRunRequest::Header& header = *header_.mutable_header();
      *header.mutable_ref() = lease.ref();
      header.set_outcome(v1::OUTCOME_SUCCEEDED);
      header.set_unit_count(kUnits);
      header.set_steps(static_cast<uint64_t>(lease.config().n_epochs()) *
                       static_cast<uint64_t>(lease.config().n_grad_steps_per_epoch()));
      header.set_numerics_id("bench");
      header.set_science_version(1);
      header.add_artifacts()->set_sha256(Sha256::Of(StrCat("bench ", worker.number_)));
      v1::MetricColumn& column = *units_.mutable_units()->add_columns();
      column.set_metric("grid_score_60");
      for (int i = 0; i < kUnits; ++i) column.add_value(0.1 * i);
      worker.context_ = std::make_unique<grpc::ClientContext>();
      worker.stub_->async()->CompleteRun(worker.context_.get(), &response_, this);
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
      delete this;
      if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        // As a worker does that is told to come again.
        worker.alarm_.Set(std::chrono::system_clock::now() + std::chrono::seconds(1),
                          [&worker](bool) { new Completion(worker, worker.leases_.leases(0)); });
        return;
      }
      ++(status.ok() ? worker.shared_.completed : worker.shared_.failed);
      if (!status.ok()) std::fprintf(stderr, "complete: %s\n", status.error_message().c_str());
      worker.Lease();
    }

   private:
    SimulatedWorker& worker_;
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

  const int number_;
  const bool completes_;
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

void Woken(Shared& shared, SimulatedWorker& releaser, int arrivals) {
  std::vector<double> waits;
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
    lock.lock();
    if (!shared.changed.wait_for(lock, std::chrono::seconds(30), [&] { return shared.granted; }) ||
        shared.granted_at < start) {
      std::fprintf(stderr, "no grant in 30 s, or one that nothing was released for\n");
      std::exit(1);
    }
    waits.push_back(std::chrono::duration<double, std::milli>(shared.granted_at - start).count());
  }
  std::sort(waits.begin(), waits.end());
  const auto quantile = [&](double q) {
    return waits[static_cast<size_t>(q * static_cast<double>(waits.size() - 1))];
  };
  std::printf("{\"arrivals\": %zu, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"failed\": %lld}\n",
              waits.size(), quantile(0.5), quantile(0.99), static_cast<long long>(shared.failed));
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
  if (argc != 5) {
    std::fprintf(stderr,
                 "usage: bench_dispatch busy|woken|create ADDRESS WORKERS SECONDS|ARRIVALS\n");
    return 2;
  }
  const std::string mode = argv[1];
  const int n = std::atoi(argv[3]);
  if (mode == "create") return Create(argv[2], std::atoi(argv[4]));
  Shared shared;
  std::vector<std::unique_ptr<SimulatedWorker>> workers;
  for (int i = 0; i < n; ++i) {
    workers.push_back(std::make_unique<SimulatedWorker>(argv[2], i, mode == "busy", shared));
    workers.back()->Register();
  }
  for (auto& worker : workers) worker->Lease();
  std::fprintf(stderr, "started\n");
  if (mode == "woken") {
    SimulatedWorker releaser(argv[2], n, false, shared);
    Woken(shared, releaser, std::atoi(argv[4]));
  } else {
    Busy(shared, std::atof(argv[4]));
  }
  std::fflush(stdout);
  std::_Exit(0);  // the coordinator notices that they have gone
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) { return gridsweep::Main(argc, argv); }

// More than a thousand workers that wait for runs, each on a connection of its own, cost the
// coordinator little memory and no threads; all of them are served.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/file_limit.h"
#include "common/sha256.h"
#include "common/strings.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "tests/end_to_end/instance.h"

namespace gridsweep::testing {
namespace {

constexpr int kFew = 10, kMany = 1100;
constexpr int kMostMegabytes = 256;
// gRPC's own pool breathes by some.
const int kSomeThreads = 8 + 2 * static_cast<int>(std::thread::hardware_concurrency());

// The soft limit that programs start with on most systems.
void LowerFileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(1024, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Registers, and waits for one run.
class Poller {
 public:
  Poller(const std::string& address, int number) {
    grpc::ChannelArguments own_connection;
    own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::DispatchService::NewStub(grpc::CreateCustomChannel(
        address, grpc::experimental::LocalCredentials(UDS), own_connection));
    v1::RegisterRequest introduction;
    introduction.set_name(StrCat("poller-", number));
    introduction.set_host("here");
    introduction.set_incarnation(RandomBytes(16));
    introduction.set_slots(1);
    v1::RegisterResponse registered;
    grpc::ClientContext context;
    const grpc::Status status = stub_->Register(&context, introduction, &registered);
    EXPECT_TRUE(status.ok()) << number << ": " << status.error_message();
    request_.set_worker_id(registered.worker_id());
    request_.set_incarnation(introduction.incarnation());
    request_.set_request_id(RandomBytes(16));
    request_.set_max_runs(1);
    request_.mutable_max_wait()->set_seconds(60);
    stub_->async()->LeaseRuns(&context_, &request_, &response_, [this](grpc::Status ended) {
      EXPECT_TRUE(ended.ok() || ended.error_code() == grpc::StatusCode::CANCELLED)
          << ended.error_message();
      if (response_.leases_size() == 1) run_ = response_.leases(0).ref().run_id();
      ended_ = true;
    });
  }
  ~Poller() {
    context_.TryCancel();
    Within([this] { return ended_.load(); });
  }

  // Its run; 0 while it waits.
  int64_t run() const { return run_; }

 private:
  std::unique_ptr<v1::DispatchService::Stub> stub_;
  grpc::ClientContext context_;
  v1::LeaseRunsRequest request_;
  v1::LeaseRunsResponse response_;
  std::atomic<int64_t> run_ = 0;
  std::atomic<bool> ended_ = false;
};

// The number in the line `key` of the process's status.
int64_t StatusOf(pid_t pid, const std::string& key) {
  std::ifstream file(StrCat("/proc/", pid, "/status"));
  for (std::string word; file >> word;) {
    int64_t value = 0;
    if (word == key + ":" && file >> value) return value;
  }
  ADD_FAILURE() << "no " << key;
  return 0;
}

std::string SweepOf(int runs) {
  return StrCat(
      "name: polled\nmethod: grid\nparameters:\n  place_field_values: {value: gaussian}\n",
      "  Ng: {value: 8}\n  Np: {value: 8}\n  seed: {min: 1, max: ", runs,
      ", distribution: int_uniform}\n");
}

// Submits as many runs as there are pollers; each must get one of its own.
void ServeAll(const Instance& instance, const std::vector<std::unique_ptr<Poller>>& pollers) {
  instance.Submit(SweepOf(static_cast<int>(pollers.size())));
  std::set<int64_t> runs;
  for (const auto& poller : pollers) {
    ASSERT_TRUE(Within([&] { return poller->run() != 0; }));
    runs.insert(poller->run());
  }
  EXPECT_EQ(runs.size(), pollers.size());
}

TEST(Polling, AThousandWorkersCostLittleMemoryAndNoThreads) {
  LowerFileLimit();
  const Instance instance({});
  RaiseFileLimit();
  const auto pollers = [&](int from, int n) {
    std::vector<std::unique_ptr<Poller>> made;
    for (int i = 0; i < n; ++i) {
      made.push_back(std::make_unique<Poller>(instance.coordinator(), from + i));
    }
    return made;
  };
  int64_t threads_for_few = 0;
  {
    const auto few = pollers(0, kFew);
    ServeAll(instance, few);
    threads_for_few = StatusOf(instance.coordinator_pid(), "Threads");
  }
  const auto many = pollers(kFew, kMany);
  ServeAll(instance, many);
  EXPECT_LE(StatusOf(instance.coordinator_pid(), "Threads"), threads_for_few + kSomeThreads);
#ifndef GRIDSWEEP_SANITIZED
  EXPECT_LT(StatusOf(instance.coordinator_pid(), "VmHWM") / 1024, kMostMegabytes);
#endif
}

}  // namespace
}  // namespace gridsweep::testing

// Sweeps that have ended are told of at their address.
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "coordinator/store/notices.h"
#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

// A web server that keeps what is posted to it, and fails as often as it is told to.
class Listener {
 public:
  Listener() {
    http_.Post("/told", [this](const httplib::Request& request, httplib::Response& response) {
      std::lock_guard lock(mutex_);
      bodies_.push_back(nlohmann::json::parse(request.body, nullptr, false));
      if (failures_ > 0) {
        --failures_;
        response.status = 503;
      }
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();
  }
  ~Listener() {
    http_.stop();
    thread_.join();
  }

  std::string url() const { return StrCat("http://127.0.0.1:", port_, "/told"); }
  void FailNext(int times) {
    std::lock_guard lock(mutex_);
    failures_ = times;
  }
  std::vector<nlohmann::json> bodies() {
    std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  httplib::Server http_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<nlohmann::json> bodies_;
  int failures_ = 0;
  std::thread thread_;
};

class Notices : public ServerTest {
 protected:
  Notices() {
    options_.notices = {absl::Milliseconds(10), absl::Milliseconds(20), absl::Milliseconds(500)};
    options_.tick = absl::Milliseconds(20);
  }

  v1::Sweep CreateNotified(int seeds) {
    auto request = SpecOf(seeds);
    request.mutable_spec()->mutable_settings()->set_notify_url(listener_.url());
    request.mutable_spec()->mutable_settings()->set_max_attempts(1);
    v1::CreateSweepResponse response;
    grpc::ClientContext context;
    const auto status = sweeps_->CreateSweep(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.sweep();
  }
  void FinishAll(const std::vector<v1::Lease>& leases) {
    for (const v1::Lease& lease : leases) {
      const std::string bytes = StrCat("artifact ", lease.ref().run_id());
      ASSERT_TRUE(Upload(lease, bytes, Sha256::Of(bytes)).ok());
      ASSERT_TRUE(Complete(lease, Sha256::Of(bytes)).ok());
    }
  }
  void Fail(const v1::Lease& lease) {
    v1::FailRunRequest request;
    *request.mutable_ref() = lease.ref();
    v1::FailRunResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(dispatch_->FailRun(&context, request, &response).ok());
  }
  bool Delivered(int64_t notices) {
    return Eventually([&] {
      return Count("select count(*) from sweep_notices where delivered_at is not null") == notices;
    });
  }

  Listener listener_;
};

TEST_F(Notices, ASweepIsToldOfOnceWhenItsLastRunHasEnded) {
  // A second coordinator looks for ended sweeps as well.
  Options other = options_;
  other.listen = "unix:" + directory_ + "/other";
  auto second = Coordinator::Start(other);
  ASSERT_TRUE(second.ok()) << second.status();
  const v1::Sweep sweep = CreateNotified(3);
  const v1::Sweep silent = Create(1);
  auto leases = Lease(Register("ada"), 4);
  ASSERT_EQ(leases.size(), 4u);
  std::ranges::sort(leases, {}, [](const v1::Lease& lease) { return lease.ref().run_id(); });
  FinishAll({leases[0], leases[1], leases[3]});
  EXPECT_EQ(*WriteNotices(db_, 10), 0) << "one run goes on";
  Fail(leases[2]);
  ASSERT_TRUE(Delivered(1));
  const auto bodies = listener_.bodies();
  ASSERT_EQ(bodies.size(), 1u);
  EXPECT_EQ(bodies[0]["event"], "sweep.ended");
  EXPECT_EQ(bodies[0]["sweep_id"], sweep.sweep_id());
  EXPECT_EQ(bodies[0]["name"], "served");
  EXPECT_EQ(bodies[0]["id"].get<std::string>().size(), 36u);
  EXPECT_EQ(
      bodies[0]["counts"],
      nlohmann::json(
          {{"total", 3}, {"succeeded", 2}, {"diverged", 0}, {"failed", 1}, {"cancelled", 0}}));
  absl::Time finished;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, bodies[0]["finished_at"].get<std::string>(),
                              &finished, &error))
      << error;
  EXPECT_EQ(Count("select count(*) from sweep_notices"), 1);
}

TEST_F(Notices, AnAddressThatFailsIsToldAgainTheSameNotice) {
  listener_.FailNext(2);
  CreateNotified(1);
  FinishAll(Lease(Register("ada"), 1));
  ASSERT_TRUE(Delivered(1));
  const auto bodies = listener_.bodies();
  ASSERT_EQ(bodies.size(), 3u);
  EXPECT_EQ(bodies[0], bodies[1]);
  EXPECT_EQ(bodies[0], bodies[2]);
  EXPECT_EQ(Count("select tries from sweep_notices"), 3);
}

TEST_F(Notices, ANoticeWhoseCoordinatorDiedIsDelivered) {
  coordinator_.reset();
  options_.notices.look_every = absl::Hours(1);  // writes and takes nothing in time
  Start();
  CreateNotified(1);
  FinishAll(Lease(Register("ada"), 1));
  coordinator_.reset();
  // What a coordinator does before it dies: the notice is written and taken, and nothing posted.
  ASSERT_EQ(*WriteNotices(db_, 10), 1);
  ASSERT_TRUE((*TakeNotice(db_, absl::Milliseconds(300))).has_value());
  EXPECT_FALSE((*TakeNotice(db_, absl::Seconds(1))).has_value()) << "it is another's";
  EXPECT_EQ(*WriteNotices(db_, 10), 0) << "it is written once";
  options_.notices.look_every = absl::Milliseconds(10);
  Start();
  ASSERT_TRUE(Delivered(1));
  EXPECT_EQ(listener_.bodies().size(), 1u);
}

TEST_F(Notices, ARetriedSweepIsToldOfAgain) {
  const v1::Sweep sweep = CreateNotified(1);
  const TestWorker worker = Register("ada");
  Fail(Lease(worker, 1).at(0));
  ASSERT_TRUE(Delivered(1));
  v1::RetrySweepRequest retry;
  retry.set_sweep_id(sweep.sweep_id());
  v1::RetrySweepResponse retried;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->RetrySweep(&context, retry, &retried).ok());
  FinishAll(Lease(worker, 1, 5));
  ASSERT_TRUE(Delivered(2));
  const auto bodies = listener_.bodies();
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_EQ(bodies[0]["counts"]["failed"], 1);
  EXPECT_EQ(bodies[1]["counts"]["succeeded"], 1);
  EXPECT_NE(bodies[0]["id"], bodies[1]["id"]);
}

TEST_F(Notices, RunsThatAQuarantineGivesBackAreToldOfAgain) {
  options_.dispatch.failures.quarantine_after = 2;
  coordinator_.reset();
  Start();
  const TestWorker bad = Register("bad");
  CreateNotified(1);
  Fail(Lease(bad, 1).at(0));
  ASSERT_TRUE(Delivered(1));
  CreateNotified(1);
  Fail(Lease(bad, 1).at(0));  // its second: both failures were the worker's
  FinishAll(Lease(Register("good"), 2, 5));
  ASSERT_TRUE(Delivered(3));
  EXPECT_EQ(listener_.bodies().back()["counts"]["succeeded"], 1);
}

// An address that takes connections and never answers. With one thread, and a time for each part of
// a call alone, it kept all others from theirs.
class SilentAddress {
 public:
  SilentAddress() {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(listen(fd_, 100), 0);
    socklen_t size = sizeof any;
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size), 0);
    port_ = ntohs(any.sin_port);
  }
  ~SilentAddress() { close(fd_); }
  std::string url() const { return StrCat("http://127.0.0.1:", port_, "/"); }

 private:
  int fd_ = -1, port_ = 0;
};

TEST_F(Notices, AnAddressThatDoesNotAnswerHoldsUpNoOther) {
  coordinator_.reset();
  options_.notices.posters = 4;
  options_.notices.post_timeout = absl::Seconds(20);
  options_.notices.hold = absl::Seconds(60);
  Start();
  const SilentAddress silent;
  for (int i = 0; i < 3; ++i) {
    auto request = SpecOf(1);
    request.set_notify_url(silent.url());
    v1::CreateSweepResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(sweeps_->CreateSweep(&context, request, &response).ok());
  }
  FinishAll(Lease(Register("ada"), 3));
  ASSERT_TRUE(Eventually([&] { return Count("select sum(tries) from sweep_notices") == 3; }));
  const absl::Time start = absl::Now();
  CreateNotified(1);
  FinishAll(Lease(Register("ada"), 1));
  EXPECT_TRUE(Delivered(1));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_F(Notices, APausedSweepHasNotEnded) {
  const v1::Sweep sweep = CreateNotified(2);
  const auto leases = Lease(Register("ada"), 1);
  v1::PauseSweepRequest pause;
  pause.set_sweep_id(sweep.sweep_id());
  v1::PauseSweepResponse paused;
  grpc::ClientContext pausing;
  ASSERT_TRUE(sweeps_->PauseSweep(&pausing, pause, &paused).ok());
  FinishAll(leases);
  EXPECT_EQ(*WriteNotices(db_, 10), 0);
  v1::StopSweepRequest stop;
  stop.set_sweep_id(sweep.sweep_id());
  v1::StopSweepResponse stopped;
  grpc::ClientContext stopping;
  ASSERT_TRUE(sweeps_->StopSweep(&stopping, stop, &stopped).ok());
  ASSERT_TRUE(Delivered(1));
  EXPECT_EQ(listener_.bodies().at(0)["counts"]["cancelled"], 1);
}

TEST_F(Notices, AnAddressThatCannotBePostedToIsRefused) {
  for (const std::string& url :
       {std::string("ftp://host/x"), std::string("http://"), std::string("https://u:p@host/"),
        std::string("http://host/a b"), std::string("http://host/\0x", 14),
        "http://host/" + std::string(2048, 'x'), std::string("http://host:0/"),
        std::string("http://host:99999")}) {
    auto request = SpecOf(1);
    request.mutable_spec()->mutable_settings()->set_notify_url(url);
    v1::CreateSweepResponse response;
    grpc::ClientContext in_spec;
    EXPECT_EQ(sweeps_->CreateSweep(&in_spec, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << url;
    request = SpecOf(1);
    request.set_notify_url(url);
    grpc::ClientContext in_request;
    EXPECT_EQ(sweeps_->CreateSweep(&in_request, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << url;
  }
  EXPECT_EQ(Count("select count(*) from sweeps"), 0);
  auto request = SpecOf(1);
  request.set_notify_url(listener_.url());
  v1::CreateSweepResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->CreateSweep(&context, request, &response).ok());
  EXPECT_EQ(response.sweep().settings().notify_url(), listener_.url());
}

}  // namespace
}  // namespace gridsweep::coordinator

#include "common/http_door.h"

#include <gtest/gtest.h>
#include <httplib.h>

namespace gridsweep {
namespace {

class HttpDoorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto door = HttpDoor::Start({"127.0.0.1:0"}, metrics_, [this] { return ready_; });
    ASSERT_TRUE(door.ok()) << door.status();
    door_ = *std::move(door);
  }
  httplib::Result Get(const std::string& path) {
    return httplib::Client("http://" + door_->address()).Get(path);
  }

  Metrics metrics_{"test", "1"};
  absl::Status ready_;
  std::unique_ptr<HttpDoor> door_;
};

TEST_F(HttpDoorTest, MetricsAreTextThatPrometheusReads) {
  metrics_.Counter("gridsweep_things_total", "Things.", {{"kind", "good"}}).Increment(3);
  metrics_.Histogram("gridsweep_wait_seconds", "Waits.", {0.5, 1}).Observe(0.7);
  const auto answer = Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type").rfind("text/plain; version=0.0.4", 0), 0u);
  for (const char* line :
       {"# TYPE gridsweep_things_total counter\n", "gridsweep_things_total{kind=\"good\"} 3\n",
        "gridsweep_wait_seconds_bucket{le=\"0.5\"} 0\n",
        "gridsweep_wait_seconds_bucket{le=\"1\"} 1\n", "gridsweep_wait_seconds_count 1\n"}) {
    EXPECT_NE(answer->body.find(line), std::string::npos) << line << answer->body;
  }
}

TEST_F(HttpDoorTest, AliveIsNotReady) {
  EXPECT_EQ(Get("/readyz")->status, 200);
  ready_ = absl::UnavailableError("the database is away");
  EXPECT_EQ(Get("/readyz")->status, 503);
  EXPECT_EQ(Get("/readyz")->body, "the database is away\n");
  EXPECT_EQ(Get("/healthz")->status, 200);
  EXPECT_EQ(Get("/etc/passwd")->status, 404);
}

TEST_F(HttpDoorTest, RefusesToListenBeyondThisMachineUnlessToldTo) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "10.0.0.1:9090"}) {
    EXPECT_EQ(HttpDoor::Start({address}, metrics_, nullptr).status().code(),
              absl::StatusCode::kFailedPrecondition)
        << address;
  }
  auto open = HttpDoor::Start({"0.0.0.0:0", true}, metrics_, nullptr);
  EXPECT_TRUE(open.ok()) << open.status();
}

TEST_F(HttpDoorTest, SaysWhatIsWrongWithItsAddress) {
  for (const char* address : {"9090", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":90"}) {
    EXPECT_EQ(HttpDoor::Start({address}, metrics_, nullptr).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_EQ(HttpDoor::Start({door_->address()}, metrics_, nullptr).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(HttpDoorTest, WithoutAnAddressThereIsNoDoor) {
  auto none = HttpDoor::Start({}, metrics_, nullptr);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, nullptr);
}

}  // namespace
}  // namespace gridsweep

#include "common/status.h"

#include <absl/strings/cord.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/verdict.h"
#include "google/rpc/error_details.pb.h"

namespace gridsweep {
namespace {

TEST(Status, FieldViolationsSurviveTheWire) {
  const absl::Status sent =
      InvalidFields({{"config.Np", "must be even"}, {"config.seed", "must be >= 0"}});
  const absl::Status received = FromGrpc(ToGrpc(sent));
  EXPECT_EQ(received.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(received.message(), "config.Np: must be even\nconfig.seed: must be >= 0");
  EXPECT_THAT(FieldViolations(received),
              testing::ElementsAre(testing::Pair("config.Np", "must be even"),
                                   testing::Pair("config.seed", "must be >= 0")));
}

TEST(Status, RetryDelayKeepsItsFraction) {
  const absl::Status sent =
      WithRetryAfter(absl::ResourceExhaustedError("full"), absl::Milliseconds(1250));
  EXPECT_EQ(RetryAfter(FromGrpc(ToGrpc(sent))), absl::Milliseconds(1250));
  EXPECT_EQ(RetryAfter(absl::ResourceExhaustedError("full")), std::nullopt);
}

TEST(Status, LostLeaseIsToldFromOtherFailedPreconditions) {
  EXPECT_TRUE(IsLeaseLost(FromGrpc(ToGrpc(LeaseLost(7)))));
  EXPECT_FALSE(IsLeaseLost(absl::FailedPreconditionError("something else")));
}

TEST(Status, OnlyOurOwnWordIsAVerdict) {
  EXPECT_TRUE(IsVerdict(FromGrpc(ToGrpc(LeaseLost(7)))));
  EXPECT_TRUE(IsVerdict(FromGrpc(ToGrpc(WithVerdict(InvalidField("header.steps", "is odd"))))));
  EXPECT_TRUE(IsVerdict(FromGrpc(ToGrpc(Refused(absl::ResourceExhaustedError("too large"))))));
  EXPECT_FALSE(IsVerdict(absl::OkStatus()));
  EXPECT_FALSE(IsVerdict(WithVerdict(absl::OkStatus())));
  EXPECT_FALSE(IsVerdict(WithVerdict(absl::InvalidArgumentError("a proxy's"))));
  EXPECT_FALSE(IsVerdict(WithVerdict(absl::InternalError("ours, and no verdict"))));
  EXPECT_FALSE(IsVerdict(WithReason(absl::FailedPreconditionError("again"), kArtifactUnknown)));
  // The same words of another domain.
  google::rpc::ErrorInfo info;
  info.set_reason("LEASE_LOST");
  info.set_domain("proxy.example");
  absl::Status foreign = absl::FailedPreconditionError("lost");
  foreign.SetPayload("type.googleapis.com/google.rpc.ErrorInfo",
                     absl::Cord(info.SerializeAsString()));
  EXPECT_FALSE(IsVerdict(FromGrpc(ToGrpc(foreign))));
  EXPECT_FALSE(IsLeaseLost(foreign));
}

TEST(Status, OkStaysOk) { EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok()); }

TEST(Status, DetailsThatAreNotOursAreIgnored) {
  const grpc::Status foreign(grpc::StatusCode::INTERNAL, "boom", "\xff\xff not a proto");
  EXPECT_EQ(FromGrpc(foreign).message(), "boom");
}

}  // namespace
}  // namespace gridsweep

#include "common/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Status, OkStaysOk) { EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok()); }

TEST(Status, DetailsThatAreNotOursAreIgnored) {
  const grpc::Status foreign(grpc::StatusCode::INTERNAL, "boom", "\xff\xff not a proto");
  EXPECT_EQ(FromGrpc(foreign).message(), "boom");
}

}  // namespace
}  // namespace gridsweep

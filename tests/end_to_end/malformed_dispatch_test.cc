// DispatchService: workers that forge, stammer and lie. One real lease is in
// force, so that most of what is refused is wrong in one place only.
#include <cmath>
#include <functional>
#include <limits>

#include "common/sha256.h"
#include "common/strings.h"
#include "tests/end_to_end/malformed_fixture.h"

namespace gridsweep::testing {
namespace {

using grpc::StatusCode;
using std::string_literals::operator""s;
using MalformedDispatch = Malformed;

constexpr auto kInvalid = StatusCode::INVALID_ARGUMENT;
constexpr auto kFence = StatusCode::FAILED_PRECONDITION;
constexpr uint64_t kBeyond = uint64_t{1} << 63;  // what no bigint holds

TEST_F(MalformedDispatch, RegistrationsThatMakeNoSenseAreRefused) {
  const auto with = [&](const std::function<void(v1::RegisterRequest&)>& spoil) {
    v1::RegisterRequest request;
    request.set_name("newcomer");
    request.set_incarnation(RandomBytes(16));
    request.set_slots(1);
    spoil(request);
    return Send("Register", {request.SerializeAsString()});
  };
  ExpectRefused("no name", kInvalid, with([](auto& r) { r.clear_name(); }));
  ExpectRefused("a long name", kInvalid,
                with([](auto& r) { r.set_name(std::string(5'000, 'x')); }));
  ExpectRefused("a name with a NUL", kInvalid, with([](auto& r) { r.set_name("tester\0x"s); }));
  ExpectRefused("a host with a NUL", kInvalid, with([](auto& r) { r.set_host("a\0b"s); }));
  ExpectRefused("a class with a NUL", kInvalid,
                with([](auto& r) { r.set_resource_class("a\0b"s); }));
  ExpectRefused("a numerics id with a NUL", kInvalid,
                with([](auto& r) { r.set_numerics_id("a\0b"s); }));
  ExpectRefused("a version with a NUL", kInvalid, with([](auto& r) { r.set_version("a\0b"s); }));
  ExpectRefused("a feature with a NUL", kInvalid, with([](auto& r) { r.add_features("a\0b"s); }));
  ExpectRefused("a label with a NUL", kInvalid,
                with([](auto& r) { (*r.mutable_labels())["a"] = "\0"s; }));
  ExpectRefused("a label named NUL", kInvalid,
                with([](auto& r) { (*r.mutable_labels())["\0"s] = "a"; }));
  for (const size_t bytes : {0, 15, 17, 1000}) {
    ExpectRefused(StrCat("an incarnation of ", bytes), kInvalid,
                  with([&](auto& r) { r.set_incarnation(std::string(bytes, 'x')); }));
  }
  for (const uint32_t slots : {0u, 4097u, ~0u}) {
    ExpectRefused(StrCat(slots, " slots"), kInvalid, with([&](auto& r) { r.set_slots(slots); }));
  }
  ExpectRefused("more memory than there is", kInvalid,
                with([](auto& r) { r.set_memory_bytes(kBeyond); }));
  ExpectRefused("a science of the far future", kInvalid,
                with([](auto& r) { r.set_science_version(~0u); }));
}

TEST_F(MalformedDispatch, DemandsThatMakeNoSenseAreRefused) {
  const auto with = [&](const std::function<void(v1::LeaseRunsRequest&)>& spoil) {
    v1::LeaseRunsRequest request;
    request.set_worker_id(stage_.worker_id);
    request.set_incarnation(stage_.incarnation);
    request.set_request_id(RandomBytes(16));
    request.set_max_runs(1);
    spoil(request);
    return Send("LeaseRuns", {request.SerializeAsString()});
  };
  for (const uint32_t runs : {0u, 65u, ~0u}) {
    ExpectRefused(StrCat(runs, " runs"), kInvalid, with([&](auto& r) { r.set_max_runs(runs); }));
  }
  for (const size_t bytes : {0, 15, 17}) {
    ExpectRefused(StrCat("a request id of ", bytes), kInvalid,
                  with([&](auto& r) { r.set_request_id(std::string(bytes, 'x')); }));
  }
  for (const int64_t id : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    ExpectRefused(StrCat("worker ", id), kFence, with([&](auto& r) { r.set_worker_id(id); }));
  }
  ExpectRefused("another's incarnation", kFence,
                with([](auto& r) { r.set_incarnation(RandomBytes(16)); }));
  ExpectRefused("no incarnation", kFence, with([](auto& r) { r.clear_incarnation(); }));
}

TEST_F(MalformedDispatch, HeartbeatsThatMakeNoSenseAreRefused) {
  const auto beat = [&](const std::function<void(v1::HeartbeatRequest&)>& spoil) {
    v1::HeartbeatRequest request;
    request.set_worker_id(stage_.worker_id);
    request.set_incarnation(stage_.incarnation);
    *request.add_held()->mutable_ref() = stage_.lease.ref();
    spoil(request);
    return Call(stage_.coordinator, "/gridsweep.v1.DispatchService/Heartbeat",
                {request.SerializeAsString()});
  };
  const auto with = [&](const std::function<void(v1::HeartbeatRequest&)>& spoil) {
    return beat(spoil).status;
  };
  ExpectRefused("an unknown worker", StatusCode::NOT_FOUND,
                with([](auto& r) { r.set_worker_id(999'999); }));
  ExpectRefused("a worker below zero", StatusCode::NOT_FOUND,
                with([](auto& r) { r.set_worker_id(std::numeric_limits<int64_t>::min()); }));
  ExpectRefused("another's incarnation", kFence,
                with([](auto& r) { r.set_incarnation(RandomBytes(16)); }));
  for (const size_t bytes : {0, 15, 17}) {
    ExpectRefused(StrCat("a token of ", bytes), kInvalid, with([&](auto& r) {
                    r.mutable_held(0)->mutable_ref()->set_token(std::string(bytes, 'x'));
                  }));
  }
  ExpectRefused("a point beyond all steps", kInvalid,
                with([](auto& r) { r.mutable_held(0)->add_points()->set_step(kBeyond); }));
  ExpectRefused("a point with a thousand fractions", kInvalid, with([](auto& r) {
                  auto* point = r.mutable_held(0)->add_points();
                  for (int i = 0; i < 1000; ++i) point->add_fraction_above(0.5);
                }));
  ExpectRefused("a fraction above 1", kInvalid,
                with([](auto& r) { r.mutable_held(0)->add_points()->add_fraction_above(1.5); }));
  ExpectRefused("a fraction that is no number", kInvalid,
                with([](auto& r) { r.mutable_held(0)->add_points()->add_fraction_above(NAN); }));

  // A lease that the worker does not hold is not an error: it is told so.
  const Answer answer = beat([&](auto& r) {
    *r.add_held()->mutable_ref() = Forged();
    r.mutable_held(1)->add_points()->set_step(3);
  });
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  v1::HeartbeatResponse response;
  ASSERT_EQ(answer.messages.size(), 1u);
  ASSERT_TRUE(response.ParseFromString(answer.messages[0]));
  ASSERT_EQ(response.verdicts_size(), 2);
  EXPECT_EQ(response.verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
  EXPECT_EQ(response.verdicts(1).kind(), v1::Verdict::KIND_LOST);
  ExpectUnchanged("a forged lease in a heartbeat");
}

TEST_F(MalformedDispatch, EndsOfLeasesThatAreNotHeldAreRefused) {
  const auto fail = [&](const std::function<void(v1::FailRunRequest&)>& spoil) {
    v1::FailRunRequest request;
    *request.mutable_ref() = stage_.lease.ref();
    spoil(request);
    return Send("FailRun", {request.SerializeAsString()});
  };
  ExpectRefused("no lease", kInvalid, fail([](auto& r) { r.clear_ref(); }));
  ExpectRefused("a short token", kInvalid, fail([](auto& r) { r.mutable_ref()->set_token("x"); }));
  ExpectRefused("a forged token", kFence, fail([&](auto& r) { *r.mutable_ref() = Forged(); }));
  ExpectRefused("a token of zeros", kFence,
                fail([](auto& r) { r.mutable_ref()->set_token(std::string(16, '\0')); }));
  ExpectRefused("another run's token", kFence,
                fail([&](auto& r) { r.mutable_ref()->set_run_id(stage_.run_id); }));
  ExpectRefused("an error with a NUL", kInvalid, fail([](auto& r) { r.set_error("a\0b"s); }));
  ExpectRefused("a log with a NUL", kInvalid, fail([](auto& r) { r.set_log_tail("a\0b"s); }));

  v1::ReleaseRunsRequest release;
  release.add_refs()->set_run_id(stage_.lease.ref().run_id());
  ExpectRefused("a release without a token", kInvalid,
                Send("ReleaseRuns", {release.SerializeAsString()}));
  *release.mutable_refs(0) = stage_.lease.ref();
  release.add_refs()->set_token("x");
  ExpectRefused("a release of which one is wrong", kInvalid,
                Send("ReleaseRuns", {release.SerializeAsString()}));
  release.clear_refs();
  *release.add_refs() = Forged();
  EXPECT_TRUE(Send("ReleaseRuns", {release.SerializeAsString()}).ok());
  ExpectUnchanged("a release of a forged lease");
}

}  // namespace
}  // namespace gridsweep::testing

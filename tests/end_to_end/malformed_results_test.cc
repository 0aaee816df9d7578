// DispatchService's streams: artifacts and results, each right but for one thing.
#include <cmath>
#include <functional>

#include "common/sha256.h"
#include "common/strings.h"
#include "tests/end_to_end/malformed_fixture.h"
#include "tests/support/hostile_hdf5.h"

namespace gridsweep::testing {
namespace {

using grpc::StatusCode;
using std::string_literals::operator""s;

constexpr auto kInvalid = StatusCode::INVALID_ARGUMENT;
constexpr auto kFence = StatusCode::FAILED_PRECONDITION;
constexpr uint64_t kBeyond = uint64_t{1} << 63;  // what no bigint holds
constexpr size_t kChunk = size_t{1} << 20;

template <typename Message>
std::vector<std::string> Serialized(const std::vector<Message>& parts) {
  std::vector<std::string> messages;
  for (const Message& part : parts) messages.push_back(part.SerializeAsString());
  return messages;
}

class MalformedUploads : public Malformed {
 protected:
  MalformedUploads() { TakeStock(); }

  std::vector<v1::UploadArtifactRequest> Parts(const std::string& bytes) const {
    std::vector<v1::UploadArtifactRequest> parts(1);
    auto& header = *parts[0].mutable_header();
    *header.mutable_ref() = lease_.ref();
    header.set_sha256(Sha256::Of(bytes));
    header.set_size(bytes.size());
    header.set_kind("result");
    for (size_t at = 0; at < bytes.size(); at += kChunk) {
      parts.emplace_back().set_chunk(bytes.substr(at, kChunk));
    }
    return parts;
  }
  grpc::Status Upload(const std::function<void(std::vector<v1::UploadArtifactRequest>&)>& spoil) {
    auto parts = Parts(std::string(kChunk + 1000, 'x'));
    spoil(parts);
    return Send("UploadArtifact", Serialized(parts));
  }

  const v1::Lease lease_ = LeaseRun();
};

TEST_F(MalformedUploads, AreRefused) {
  ExpectRefused("nothing", kInvalid, Upload([](auto& p) { p.clear(); }));
  ExpectRefused("an empty message", kInvalid, Upload([](auto& p) { p[0].Clear(); }));
  ExpectRefused("a chunk before the header", kInvalid,
                Upload([](auto& p) { std::swap(p[0], p[1]); }));
  ExpectRefused("a second header", kInvalid, Upload([](auto& p) { p.push_back(p[0]); }));
  ExpectRefused("no lease", kInvalid, Upload([](auto& p) { p[0].mutable_header()->clear_ref(); }));
  ExpectRefused("a forged token", kFence,
                Upload([&](auto& p) { *p[0].mutable_header()->mutable_ref() = Forged(); }));
  ExpectRefused("a short hash", kInvalid,
                Upload([](auto& p) { p[0].mutable_header()->set_sha256("x"); }));
  ExpectRefused("another hash", StatusCode::DATA_LOSS,
                Upload([](auto& p) { p[0].mutable_header()->set_sha256(Sha256::Of("another")); }));
  ExpectRefused("an unknown kind", kInvalid,
                Upload([](auto& p) { p[0].mutable_header()->set_kind("weights\0"s); }));
  ExpectRefused("more than is taken", StatusCode::RESOURCE_EXHAUSTED,
                Upload([](auto& p) { p[0].mutable_header()->set_size(~uint64_t{0}); }));
  ExpectRefused("a large chunk", kInvalid,
                Upload([](auto& p) { p[1].set_chunk(std::string(kChunk + 1, 'x')); }));
  ExpectRefused("a chunk of 5 MiB", StatusCode::RESOURCE_EXHAUSTED,
                Upload([](auto& p) { p[1].set_chunk(std::string(5 << 20, 'x')); }));
  ExpectRefused("more than was announced", kInvalid,
                Upload([](auto& p) { p[0].mutable_header()->set_size(kChunk); }));
  ExpectRefused("less than was announced", StatusCode::DATA_LOSS,
                Upload([](auto& p) { p.pop_back(); }));
  ExpectRefused("a changed byte", StatusCode::DATA_LOSS,
                Upload([](auto& p) { p[1].mutable_chunk()->back() ^= 1; }));
  const auto parts = Parts("x");
  const std::string header = parts[0].SerializeAsString(), chunk = parts[1].SerializeAsString();
  ExpectRefused("a header that is cut off", kInvalid,
                Send("UploadArtifact", {header.substr(0, header.size() - 3), chunk}));
  ExpectRefused("a chunk that is cut off", StatusCode::DATA_LOSS,
                Send("UploadArtifact", {header, chunk.substr(0, chunk.size() - 1)}));
  EXPECT_TRUE(Within([&] {
    return std::filesystem::is_empty(stage_.instance->artifacts() / "tmp");
  })) << "something of them is left";
}

class MalformedResults : public MalformedUploads {
 protected:
  using Parts = std::vector<v1::CompleteRunRequest>;
  Parts Result() const {
    Parts parts(2);
    auto& header = *parts[0].mutable_header();
    *header.mutable_ref() = lease_.ref();
    header.set_outcome(v1::OUTCOME_SUCCEEDED);
    header.set_unit_count(kHeldUnits);
    header.set_steps(Steps());
    header.set_numerics_id("test");
    header.set_science_version(1);
    header.add_artifacts()->set_sha256(Sha256::Of(HarmlessFile()));
    (*header.mutable_run_metrics())["loss"] = 0.5;
    header.add_learning_curve()->set_step(1);
    auto& column = *parts[1].mutable_units()->add_columns();
    column.set_metric("grid_score_60");
    for (int i = 0; i < kHeldUnits; ++i) column.add_value(0.25 * i);
    return parts;
  }
  uint64_t Steps() const {
    const auto& config = lease_.config();
    return static_cast<uint64_t>(config.n_epochs() * config.n_grad_steps_per_epoch());
  }
  grpc::Status Complete(const Parts& parts) { return Send("CompleteRun", Serialized(parts)); }
  grpc::Status With(const std::function<void(v1::CompleteRunRequest::Header&)>& spoil) {
    Parts parts = Result();
    spoil(*parts[0].mutable_header());
    return Complete(parts);
  }
  grpc::Status WithUnits(const std::function<void(v1::UnitBlock&)>& spoil) {
    Parts parts = Result();
    spoil(*parts[1].mutable_units());
    return Complete(parts);
  }
};

TEST_F(MalformedResults, AreRefusedAndTheRightOneIsTaken) {
  ASSERT_TRUE(Send("UploadArtifact", Serialized(MalformedUploads::Parts(HarmlessFile()))).ok());
  TakeStock();

  ExpectRefused("nothing", kInvalid, Complete({}));
  ExpectRefused("empty messages", kInvalid, Complete(Parts(2)));
  ExpectRefused("units before the header", kInvalid, Complete({Result()[1], Result()[0]}));
  ExpectRefused("two headers", kInvalid, Complete({Result()[0], Result()[0]}));
  ExpectRefused("a result twice over", kInvalid,
                Complete({Result()[0], Result()[1], Result()[0], Result()[1]}));
  ExpectRefused("no units", kInvalid, Complete({Result()[0]}));
  ExpectRefused("its units twice", kInvalid, Complete({Result()[0], Result()[1], Result()[1]}));

  ExpectRefused("no lease", kInvalid, With([](auto& h) { h.clear_ref(); }));
  ExpectRefused("a long token", kInvalid,
                With([](auto& h) { h.mutable_ref()->set_token(std::string(17, 'x')); }));
  ExpectRefused("a forged token", kFence, With([&](auto& h) { *h.mutable_ref() = Forged(); }));
  ExpectRefused("another run's token", kFence,
                With([&](auto& h) { h.mutable_ref()->set_run_id(stage_.run_id); }));
  ExpectRefused("no outcome", kInvalid, With([](auto& h) { h.clear_outcome(); }));
  ExpectRefused("an unknown outcome", kInvalid,
                With([](auto& h) { h.set_outcome(static_cast<v1::Outcome>(99)); }));
  ExpectRefused("divergence with units", kInvalid,
                With([](auto& h) { h.set_outcome(v1::OUTCOME_DIVERGED); }));
  ExpectRefused("an unknown metric", kInvalid,
                With([](auto& h) { (*h.mutable_run_metrics())["'; drop table runs; --"] = 1; }));
  ExpectRefused("a metric of units", kInvalid,
                With([](auto& h) { (*h.mutable_run_metrics())["grid_score_60"] = 1; }));
  ExpectRefused("no artifact", kInvalid, With([](auto& h) { h.clear_artifacts(); }));
  ExpectRefused("two artifacts", kInvalid, With([](auto& h) { h.add_artifacts(); }));
  ExpectRefused("an artifact that is not there", kFence,
                With([](auto& h) { h.mutable_artifacts(0)->set_sha256(Sha256::Of("another")); }));
  ExpectRefused("half a hash", kInvalid,
                With([](auto& h) { h.mutable_artifacts(0)->set_sha256("x"); }));
  for (const uint32_t units : {0u, 3u, 5u, 1u << 31, ~0u}) {
    ExpectRefused(StrCat(units, " units"), kInvalid,
                  With([&](auto& h) { h.set_unit_count(units); }));
  }
  for (const uint64_t steps : {uint64_t{0}, Steps() - 1, Steps() + 1, kBeyond, ~uint64_t{0}}) {
    ExpectRefused(StrCat(steps, " steps"), kInvalid, With([&](auto& h) { h.set_steps(steps); }));
  }
  ExpectRefused("time that ran backwards", kInvalid,
                With([](auto& h) { h.mutable_compute()->set_seconds(-1); }));
  ExpectRefused("a numerics id with a NUL", kInvalid,
                With([](auto& h) { h.set_numerics_id("a\0b"s); }));
  ExpectRefused("a science of the far future", kInvalid,
                With([](auto& h) { h.set_science_version(~0u); }));
  ExpectRefused("a curve of 257 points", kInvalid, With([](auto& h) {
                  for (uint64_t i = 2; i <= 257; ++i) h.add_learning_curve()->set_step(i);
                }));
  ExpectRefused("a curve that goes back", kInvalid,
                With([](auto& h) { h.add_learning_curve()->set_step(1); }));
  ExpectRefused("a curve beyond the end", kInvalid,
                With([&](auto& h) { h.add_learning_curve()->set_step(Steps() + 1); }));
  ExpectRefused("a curve beyond all", kInvalid,
                With([](auto& h) { h.add_learning_curve()->set_step(kBeyond); }));
  ExpectRefused("a fraction below 0", kInvalid,
                With([](auto& h) { h.mutable_learning_curve(0)->add_fraction_above(-0.1); }));

  ExpectRefused("no columns", kInvalid, WithUnits([](auto& u) { u.clear_columns(); }));
  ExpectRefused("an unknown column", kInvalid,
                WithUnits([](auto& u) { u.mutable_columns(0)->set_metric("grid_score_61"); }));
  ExpectRefused("a column of runs", kInvalid,
                WithUnits([](auto& u) { u.mutable_columns(0)->set_metric("loss"); }));
  ExpectRefused("a column twice", kInvalid,
                WithUnits([](auto& u) { *u.add_columns() = u.columns(0); }));
  ExpectRefused("a gap", kInvalid, WithUnits([](auto& u) { u.set_first_unit(1); }));
  ExpectRefused("a first unit beyond all", kInvalid,
                WithUnits([](auto& u) { u.set_first_unit(~0u); }));
  ExpectRefused("a value too few", kInvalid,
                WithUnits([](auto& u) { u.mutable_columns(0)->mutable_value()->RemoveLast(); }));
  ExpectRefused("a value too many", kInvalid,
                WithUnits([](auto& u) { u.mutable_columns(0)->add_value(1); }));
  ExpectRefused("columns of unequal length", kInvalid, WithUnits([](auto& u) {
                  *u.add_columns() = u.columns(0);
                  u.mutable_columns(1)->set_metric("grid_score_90");
                  u.mutable_columns(1)->mutable_value()->RemoveLast();
                }));
  ExpectRefused("infinity", kInvalid,
                WithUnits([](auto& u) { u.mutable_columns(0)->set_value(1, INFINITY); }));
  const std::string header = Result()[0].SerializeAsString();
  const std::string units = Result()[1].SerializeAsString();
  ExpectRefused("a header that is cut off", kInvalid,
                Send("CompleteRun", {header.substr(0, header.size() - 1), units}));
  ExpectRefused("units that are cut off", kInvalid,
                Send("CompleteRun", {header, units.substr(0, units.size() - 1)}));

  const grpc::Status taken = Complete(Result());
  EXPECT_TRUE(taken.ok()) << taken.error_message();
}

}  // namespace
}  // namespace gridsweep::testing

// Right requests with bytes changed at random, to methods that only read, and
// to those that write, in the name of a lease that nobody holds: each is
// answered, or refused for what it is.
#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>

#include <random>

#include "common/sha256.h"
#include "common/strings.h"
#include "tests/end_to_end/malformed_fixture.h"

namespace gridsweep::testing {
namespace {

using grpc::StatusCode;

constexpr int kChangesEach = 300;

// One to four of: a bit turned, a byte set, bytes dropped, bytes repeated, the end cut off.
std::string Mutate(std::string bytes, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return random() % n; };
  for (size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.erase(at, 1 + below(8));
        break;
      case 3:
        bytes.insert(below(bytes.size()), bytes.substr(at, 1 + below(8)));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

class MalformedBytes : public Malformed {
 protected:
  // The parser's complaints are expected.
  MalformedBytes() { google::protobuf::SetLogHandler(nullptr); }

  // Sends `messages` many times, one of them changed each time.
  template <typename Request>
  void Try(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
           const std::vector<Request>& messages) {
    SCOPED_TRACE(method);
    int refused = 0;
    for (int i = 0; i < kChangesEach; ++i) {
      std::vector<std::string> sent;
      for (const Request& message : messages) sent.push_back(message.SerializeAsString());
      std::string& changed = sent[random_() % sent.size()];
      changed = Mutate(changed, random_);
      const StatusCode code = Call(channel, "/gridsweep.v1." + method, sent).status.error_code();
      refused += code != StatusCode::OK;
      // gRPC's own answer to what is no message of this type at all.
      if (code == StatusCode::UNIMPLEMENTED) {
        EXPECT_FALSE(Request().ParseFromString(changed)) << ToHex(changed);
        continue;
      }
      EXPECT_THAT(code, ::testing::AnyOf(StatusCode::OK, StatusCode::INVALID_ARGUMENT,
                                         StatusCode::NOT_FOUND, StatusCode::FAILED_PRECONDITION,
                                         StatusCode::RESOURCE_EXHAUSTED, StatusCode::DATA_LOSS))
          << ToHex(changed);
    }
    EXPECT_GT(refused, 0) << "the changes change nothing";
    ExpectUnchanged(method);
  }
  template <typename Request>
  void Try(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
           const Request& message) {
    Try(channel, method, std::vector<Request>{message});
  }

  std::mt19937_64 random_{20240229};
};

TEST_F(MalformedBytes, OfSweepRequestsAreAnsweredOrRefused) {
  v1::ValidateSweepRequest file;
  file.set_yaml(
      "name: x\nmethod: grid\nparameters:\n  place_field_values: {values: [gaussian, cartesian]}\n"
      "  Ng: {values: [4, 8]}\n  learning_rate: {distribution: constant, value: 1e-4}\n"
      "  place_cell_rf: {value: \"Uniform( 0.06 , 0.18 )\"}\n"
      "  Np: {distribution: q_uniform, min: 2, max: 4, q: 2}\n"
      "gridsweep: {seeds: 3, exclude: [{place_field_values: gaussian, Np: 2}]}\n");
  Try(stage_.coordinator, "SweepService/ValidateSweep", file);
  v1::ValidateSweepRequest spec;
  auto& base = *spec.mutable_spec()->mutable_base();
  base.set_place_field_values("gaussian");
  base.set_ng(4);
  base.mutable_place_cell_rf()->mutable_uniform()->set_low(0.06);
  base.mutable_place_cell_rf()->mutable_uniform()->set_high(0.18);
  spec.mutable_spec()->set_seeds(2);
  spec.mutable_spec()->add_axes()->set_parameter("activation");
  spec.mutable_spec()->mutable_axes(0)->add_values_json("\"relu\"");
  (*spec.mutable_spec()->mutable_settings()->mutable_labels())["a"] = "b";
  Try(stage_.coordinator, "SweepService/ValidateSweep", spec);
  v1::GetSweepRequest sweep;
  sweep.set_sweep_id(stage_.sweep_id);
  Try(stage_.coordinator, "SweepService/GetSweep", sweep);
  v1::GetSweepRequest name;
  name.set_name("trained");
  Try(stage_.coordinator, "SweepService/GetSweep", name);
  v1::ListSweepsRequest sweeps;
  sweeps.set_page_size(1);
  sweeps.set_page_token("2");
  Try(stage_.coordinator, "SweepService/ListSweeps", sweeps);
  v1::ListRunsRequest runs;
  runs.set_sweep_id(stage_.sweep_id);
  runs.add_states(v1::RUN_STATE_SUCCEEDED);
  runs.set_page_size(10);
  runs.set_page_token("1");
  Try(stage_.coordinator, "SweepService/ListRuns", runs);
  v1::GetRunRequest run;
  run.set_run_id(stage_.run_id);
  Try(stage_.coordinator, "SweepService/GetRun", run);
}

TEST_F(MalformedBytes, OfAnalysisRequestsAreAnsweredOrRefused) {
  v1::Selection where;
  where.add_sweep_ids(stage_.sweep_id);
  where.set_filter("decoding_error_cm < 1000 AND activation = \"relu\" AND Ng >= 2");
  where.add_group_by("readout");
  where.add_group_by("place_cell_rf");
  v1::FractionRequest fraction;
  *fraction.mutable_where() = where;
  fraction.set_metric("grid_score_60");
  fraction.set_threshold(0.123);
  fraction.set_op(v1::COMPARISON_GE);
  Try(stage_.analysis, "AnalysisService/Fraction", fraction);
  v1::SummarizeRequest summarize;
  *summarize.mutable_where() = where;
  summarize.set_metric("period_bins");
  summarize.add_quantiles(0.25);
  Try(stage_.analysis, "AnalysisService/Summarize", summarize);
  v1::ListUnitsRequest list;
  *list.mutable_where() = where;
  list.set_page_size(3);
  const Answer page =
      Call(stage_.analysis, "/gridsweep.v1.AnalysisService/ListUnits", {list.SerializeAsString()});
  ASSERT_EQ(page.messages.size(), 1u) << page.status.error_message();
  v1::ListUnitsResponse units;
  ASSERT_TRUE(units.ParseFromString(page.messages[0]));
  ASSERT_FALSE(units.next_page_token().empty());
  list.set_page_token(units.next_page_token());
  Try(stage_.analysis, "AnalysisService/ListUnits", list);
  v1::GetRatemapsRequest ratemaps;
  for (const auto& unit : units.units()) *ratemaps.add_units() = unit.ref();
  ratemaps.set_format(v1::GetRatemapsRequest::FORMAT_PNG_SHEET);
  ratemaps.set_nbins(20);
  ratemaps.set_with_autocorrelogram(true);
  Try(stage_.analysis, "AnalysisService/GetRatemaps", ratemaps);
  v1::VerifySweepRequest verify;
  verify.set_sweep_id(stage_.sweep_id);
  Try(stage_.analysis, "AnalysisService/VerifySweep", verify);
  where.clear_group_by();
  v1::ComparePublishedRequest published;
  *published.mutable_where() = where;
  Try(stage_.analysis, "AnalysisService/ComparePublished", published);
  v1::NeuralPredictivityRequest predictivity;
  *predictivity.mutable_where() = where;
  Try(stage_.analysis, "AnalysisService/NeuralPredictivity", predictivity);
  std::vector<v1::PredictRecordingsRequest> recordings(2);
  *recordings[0].mutable_question()->mutable_where() = where;
  recordings[0].mutable_question()->set_nbins(20);
  recordings[0].mutable_question()->set_seed(3);
  const std::vector<float> rates = {0.5f, 1.0f, 2.0f, 4.0f};
  for (int i = 0; i < 200; ++i) {
    recordings[1].mutable_maps()->append(reinterpret_cast<const char*>(rates.data()), 16);
  }
  Try(stage_.analysis, "AnalysisService/PredictRecordings", recordings);
  v1::ReadoutTheoryRequest theory;
  theory.add_configs()->set_place_field_values("difference_of_gaussians");
  theory.mutable_configs(0)->set_np(16);
  theory.mutable_configs(0)->mutable_place_cell_rf()->mutable_uniform()->set_low(0.1);
  theory.mutable_configs(0)->mutable_place_cell_rf()->mutable_uniform()->set_high(0.3);
  theory.set_lattice(16);
  theory.set_eigenmaps(2);
  theory.set_with_maps(true);
  Try(stage_.analysis, "AnalysisService/ReadoutTheory", theory);
}

TEST_F(MalformedBytes, OfWritesWithoutALeaseAreRefused) {
  const v1::LeaseRef ref = Forged();
  v1::LeaseRunsRequest lease;
  lease.set_worker_id(stage_.worker_id);
  lease.set_incarnation(RandomBytes(16));
  lease.set_request_id(RandomBytes(16));
  lease.set_max_runs(2);
  Try(stage_.coordinator, "DispatchService/LeaseRuns", lease);
  v1::HeartbeatRequest beat;
  beat.set_worker_id(stage_.worker_id);
  beat.set_incarnation(RandomBytes(16));
  *beat.add_held()->mutable_ref() = ref;
  beat.mutable_held(0)->set_step(3);
  beat.mutable_held(0)->add_points()->set_loss(0.5);
  Try(stage_.coordinator, "DispatchService/Heartbeat", beat);
  v1::FailRunRequest fail;
  *fail.mutable_ref() = ref;
  fail.set_error("it broke");
  Try(stage_.coordinator, "DispatchService/FailRun", fail);
  v1::ReleaseRunsRequest release;
  *release.add_refs() = ref;
  release.set_reason(v1::RELEASE_REASON_DRAIN);
  Try(stage_.coordinator, "DispatchService/ReleaseRuns", release);

  std::vector<v1::UploadArtifactRequest> upload(2);
  *upload[0].mutable_header()->mutable_ref() = ref;
  upload[0].mutable_header()->set_sha256(Sha256::Of("x"));
  upload[0].mutable_header()->set_size(1);
  upload[0].mutable_header()->set_kind("result");
  upload[1].set_chunk("x");
  Try(stage_.coordinator, "DispatchService/UploadArtifact", upload);
  std::vector<v1::CompleteRunRequest> result(2);
  *result[0].mutable_header()->mutable_ref() = ref;
  result[0].mutable_header()->set_outcome(v1::OUTCOME_SUCCEEDED);
  result[0].mutable_header()->set_unit_count(2);
  result[0].mutable_header()->add_artifacts()->set_sha256(Sha256::Of("x"));
  result[1].mutable_units()->add_columns()->set_metric("grid_score_60");
  result[1].mutable_units()->mutable_columns(0)->add_value(0.5);
  result[1].mutable_units()->mutable_columns(0)->add_value(-0.5);
  Try(stage_.coordinator, "DispatchService/CompleteRun", result);
}

}  // namespace
}  // namespace gridsweep::testing

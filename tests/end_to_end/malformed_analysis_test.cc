// AnalysisService: questions that make no sense, and what they are not: SQL.
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "common/strings.h"
#include "tests/end_to_end/malformed_fixture.h"

namespace gridsweep::testing {
namespace {

using grpc::StatusCode;
using std::string_literals::operator""s;

constexpr auto kInvalid = StatusCode::INVALID_ARGUMENT;
constexpr auto kNotFound = StatusCode::NOT_FOUND;
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

class MalformedQuestions : public Malformed {
 protected:
  template <typename Request>
  grpc::Status Ask(const std::string& method, const Request& request) {
    return Call(stage_.analysis, "/gridsweep.v1.AnalysisService/" + method,
                {request.SerializeAsString()})
        .status;
  }
  // All that take a selection refuse this one.
  void ExpectNoSelection(const std::string& what, StatusCode code, const v1::Selection& where) {
    v1::FractionRequest fraction;
    *fraction.mutable_where() = where;
    ExpectRefused(what, code, Ask("Fraction", fraction));
    v1::SummarizeRequest summarize;
    *summarize.mutable_where() = where;
    ExpectRefused(what, code, Ask("Summarize", summarize));
    v1::ListUnitsRequest list;
    *list.mutable_where() = where;
    ExpectRefused(what, code, Ask("ListUnits", list));
    v1::GetRatemapsRequest ratemaps;
    *ratemaps.mutable_query() = list;
    ExpectRefused(what, code, Ask("GetRatemaps", ratemaps));
    v1::ComparePublishedRequest published;
    *published.mutable_where() = where;
    ExpectRefused(what, code, Ask("ComparePublished", published));
    v1::NeuralPredictivityRequest predictivity;
    *predictivity.mutable_where() = where;
    ExpectRefused(what, code, Ask("NeuralPredictivity", predictivity));
    v1::PredictRecordingsRequest question = Recordings();
    *question.mutable_question()->mutable_where() = where;
    ExpectRefused(what, code, Send({question, Maps(1)}));
  }
  static v1::PredictRecordingsRequest Recordings() {
    v1::PredictRecordingsRequest message;
    message.mutable_question()->set_nbins(20);
    return message;
  }
  static v1::PredictRecordingsRequest Maps(size_t neurons) {
    std::vector<float> rates(neurons * 400);
    for (size_t i = 0; i < rates.size(); ++i) rates[i] = static_cast<float>(i % 7);
    v1::PredictRecordingsRequest message;
    message.set_maps(reinterpret_cast<const char*>(rates.data()), rates.size() * sizeof(float));
    return message;
  }
  grpc::Status Send(const std::vector<v1::PredictRecordingsRequest>& messages) {
    std::vector<std::string> bytes;
    for (const auto& message : messages) bytes.push_back(message.SerializeAsString());
    return Call(stage_.analysis, "/gridsweep.v1.AnalysisService/PredictRecordings", bytes).status;
  }
  // All that take a metric refuse this one.
  void ExpectNoMetric(const std::string& metric) {
    v1::FractionRequest fraction;
    fraction.set_metric(metric);
    ExpectRefused(metric, kInvalid, Ask("Fraction", fraction));
    v1::SummarizeRequest summarize;
    summarize.set_metric(metric);
    ExpectRefused(metric, kInvalid, Ask("Summarize", summarize));
    v1::ListUnitsRequest list;
    list.set_metric(metric);
    ExpectRefused(metric, kInvalid, Ask("ListUnits", list));
  }
};

TEST_F(MalformedQuestions, SelectionsAreRefused) {
  for (const std::string& filter : {
           "readout = 'x'; drop table runs; --"s,
           "readout = \"x"s,
           "'; drop table runs; --"s,
           "\" or \"\" = \""s,
           "1 = 1"s,
           "readout"s,
           "readout ="s,
           "= 4"s,
           "Ng = 4 OR Ng = 5"s,
           "Ng = 4 AND"s,
           "AND Ng = 4"s,
           "(Ng = 4)"s,
           "Ng = 4; Ng = 5"s,
           "Mg = 4"s,
           "Ng = four"s,
           "Ng = 1e999"s,
           "Ng = nan"s,
           "Ng = '4'::int"s,
           "Ng => 4"s,
           "readout > Gaussian"s,
           "state = done"s,
           "is_periodic = maybe"s,
           "place_cell_rf = wide"s,
           "grid_score_60 > 0.8"s,
           "r.config = 4"s,
           "readout = \"a\0b\""s,
           "readout = Gaussian\0"s,
           "\0"s,
           "$1 = $2"s,
           "readout = \"Gaussian\\"s,
           std::string(100'000, '('),
       }) {
    v1::Selection where;
    where.set_filter(filter);
    ExpectNoSelection(filter.substr(0, 80), kInvalid, where);
  }
  for (const char* field : {"", "Mg", "grid_score_60", "loss", "state", "r.ng", "ng; --",
                            "readout'", "readout, seed", "*"}) {
    v1::Selection where;
    where.add_group_by(field);
    ExpectNoSelection(StrCat("by ", field), kInvalid, where);
  }
  v1::Selection twice;
  twice.add_group_by("readout");
  twice.add_group_by("readout");
  ExpectNoSelection("by readout twice", kInvalid, twice);
  for (const int64_t id : {int64_t{0}, int64_t{-1}, int64_t{999'999}, int64_t{1} << 40, kMost}) {
    v1::Selection where;
    where.add_sweep_ids(stage_.sweep_id);
    where.add_sweep_ids(id);
    ExpectNoSelection(StrCat("sweep ", id), kNotFound, where);
    v1::VerifySweepRequest verify;
    verify.set_sweep_id(id);
    ExpectRefused(StrCat("verify ", id), kNotFound, Ask("VerifySweep", verify));
  }
}

TEST_F(MalformedQuestions, MetricsAndNumbersAreRefused) {
  for (const std::string& metric : {"grid_score_61"s, "grid_score_60\0"s, "run_id"s, "'"s,
                                    "grid_score_60; drop table units"s, "\xC3\xA9"s}) {
    ExpectNoMetric(metric);
  }
  v1::FractionRequest fraction;
  fraction.set_threshold(NAN);
  ExpectRefused("a threshold that is no number", kInvalid, Ask("Fraction", fraction));
  fraction.clear_threshold();
  fraction.set_op(static_cast<v1::Comparison>(99));
  ExpectRefused("comparison 99", kInvalid, Ask("Fraction", fraction));
  fraction.set_op(static_cast<v1::Comparison>(-1));
  ExpectRefused("comparison -1", kInvalid, Ask("Fraction", fraction));
  fraction.clear_op();
  fraction.set_of(static_cast<v1::Population>(99));
  ExpectRefused("population 99", kInvalid, Ask("Fraction", fraction));
  fraction.set_of(v1::POPULATION_RUNS);
  ExpectRefused("runs by a metric of units", kInvalid, Ask("Fraction", fraction));
  fraction.set_of(v1::POPULATION_UNITS);
  fraction.set_metric("decoding_error_cm");
  ExpectRefused("units by a metric of runs", kInvalid, Ask("Fraction", fraction));
  for (const double quantile : {-0.1, 1.1, double(NAN), double(INFINITY)}) {
    v1::SummarizeRequest summarize;
    summarize.add_quantiles(0.5);
    summarize.add_quantiles(quantile);
    ExpectRefused(StrCat("quantile ", quantile), kInvalid, Ask("Summarize", summarize));
  }
  v1::SummarizeRequest many;
  for (int i = 0; i < 100'000; ++i) many.add_quantiles(0.5);
  ExpectRefused("a hundred thousand quantiles", kInvalid, Ask("Summarize", many));
}

TEST_F(MalformedQuestions, PagesAndUnitsAreRefused) {
  for (const uint32_t size : {10'001u, ~0u}) {
    v1::ListUnitsRequest list;
    list.set_page_size(size);
    ExpectRefused(StrCat("pages of ", size), kInvalid, Ask("ListUnits", list));
  }
  // base64 of {}, of [], of a token with a key too many, of a token of another question.
  for (const std::string& token :
       {"x"s, "e30"s, "W10"s, "\0"s, "!!!!"s, "eyJxdWVzdGlvbiI6ImEiLCJhZnRlciI6W119"s,
        std::string(1'000'000, 'W')}) {
    v1::ListUnitsRequest list;
    list.set_page_token(token);
    ExpectRefused("token " + token.substr(0, 40), kInvalid, Ask("ListUnits", list));
  }
  v1::ListUnitsRequest of_runs;
  of_runs.set_metric("decoding_error_cm");
  ExpectRefused("units by a metric of runs", kInvalid, Ask("ListUnits", of_runs));

  const auto ratemaps = [&](const std::function<void(v1::GetRatemapsRequest&)>& spoil) {
    v1::GetRatemapsRequest request;
    request.add_units()->set_run_id(stage_.run_id);
    spoil(request);
    return Ask("GetRatemaps", request);
  };
  EXPECT_TRUE(ratemaps([](auto&) {}).ok());
  ExpectRefused("no units", kInvalid, ratemaps([](auto& r) { r.clear_units(); }));
  ExpectRefused("units and a query", kInvalid, ratemaps([](auto& r) { r.mutable_query(); }));
  ExpectRefused("format 99", kInvalid, ratemaps([](auto& r) {
                  r.set_format(static_cast<v1::GetRatemapsRequest::Format>(99));
                }));
  for (const uint32_t bins : {1u, 45u, ~0u}) {
    ExpectRefused(StrCat(bins, " bins"), kInvalid, ratemaps([&](auto& r) { r.set_nbins(bins); }));
  }
  for (const int64_t run : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, kMost}) {
    ExpectRefused(StrCat("run ", run), kNotFound,
                  ratemaps([&](auto& r) { r.mutable_units(0)->set_run_id(run); }));
  }
  for (const uint32_t unit : {16u, 1u << 31, ~0u}) {
    ExpectRefused(StrCat("unit ", unit), kNotFound,
                  ratemaps([&](auto& r) { r.mutable_units(0)->set_unit(unit); }));
  }
  ExpectRefused("a run without a result", kNotFound, ratemaps([&](auto& r) {
                  r.mutable_units(0)->set_run_id(stage_.lease.ref().run_id());
                }));
  ExpectRefused("too many at once", kInvalid, ratemaps([](auto& r) {
                  for (int i = 0; i < 5'000; ++i) *r.add_units() = r.units(0);
                }));
}

TEST_F(MalformedQuestions, ComparisonsAreRefused) {
  v1::ComparePublishedRequest published;
  published.mutable_where()->add_group_by("readout");
  ExpectRefused("families by readout", kInvalid, Ask("ComparePublished", published));
  v1::NeuralPredictivityRequest predictivity;
  predictivity.mutable_where()->add_group_by("seed");
  ExpectRefused("networks by seed", kInvalid, Ask("NeuralPredictivity", predictivity));
}

TEST_F(MalformedQuestions, RecordingsAreRefused) {
  EXPECT_TRUE(Send({Recordings(), Maps(2)}).ok());
  ExpectRefused("no message", kInvalid, Send({}));
  ExpectRefused("an empty message", kInvalid, Send({{}}));
  ExpectRefused("maps before the question", kInvalid, Send({Maps(1), Recordings()}));
  ExpectRefused("no maps", kInvalid, Send({Recordings()}));
  ExpectRefused("two questions", kInvalid, Send({Recordings(), Maps(1), Recordings()}));
  v1::PredictRecordingsRequest message = Maps(1);
  message.set_maps("");
  ExpectRefused("an empty piece", kInvalid, Send({Recordings(), message}));
  message.set_maps(std::string(1601, '\0'));
  ExpectRefused("a byte too many", kInvalid, Send({Recordings(), message}));
  message.set_maps(std::string(1600, '\xFF'));
  ExpectRefused("NaN alone", kInvalid, Send({Recordings(), message}));
  const float infinity = std::numeric_limits<float>::infinity();
  message = Maps(1);
  std::memcpy(message.mutable_maps()->data(), &infinity, sizeof infinity);
  ExpectRefused("an infinite rate", kInvalid, Send({Recordings(), message}));
  for (const uint32_t bins : {0u, 1u, 45u, ~0u}) {
    v1::PredictRecordingsRequest question = Recordings();
    question.mutable_question()->set_nbins(bins);
    ExpectRefused(StrCat(bins, " bins"), kInvalid, Send({question, Maps(1)}));
  }
  v1::PredictRecordingsRequest question = Recordings();
  question.mutable_question()->set_seed(-1);
  ExpectRefused("a negative seed", kInvalid, Send({question, Maps(1)}));
  question.mutable_question()->set_seed(kMost);
  EXPECT_TRUE(Send({question, Maps(1)}).ok());
  std::vector<v1::PredictRecordingsRequest> flood(20, Maps(2'500));
  flood[0] = Recordings();
  ExpectRefused("80 MB of maps", kInvalid, Send(flood));
}

TEST_F(MalformedQuestions, TheoryIsRefused) {
  const auto theory = [&](const std::function<void(v1::ReadoutTheoryRequest&)>& spoil) {
    v1::ReadoutTheoryRequest request;
    request.add_configs()->set_place_field_values("gaussian");
    request.set_lattice(16);
    spoil(request);
    return Ask("ReadoutTheory", request);
  };
  EXPECT_TRUE(theory([](auto&) {}).ok());
  ExpectRefused("nothing", kInvalid, theory([](auto& r) { r.clear_configs(); }));
  ExpectRefused("configs and a sweep", kInvalid, theory([](auto& r) { r.set_sweep_id(1); }));
  ExpectRefused("too many at once", kInvalid, theory([](auto& r) {
                  for (int i = 0; i < 300; ++i) *r.add_configs() = r.configs(0);
                }));
  for (const int64_t id : {int64_t{-1}, int64_t{1} << 40, kMost}) {
    ExpectRefused(StrCat("sweep ", id), kNotFound, theory([&](auto& r) {
                    r.clear_configs();
                    r.set_sweep_id(id);
                  }));
  }
  for (const uint32_t lattice : {0u, 15u, 102u, ~0u}) {
    ExpectRefused(StrCat("lattice ", lattice), kInvalid,
                  theory([&](auto& r) { r.set_lattice(lattice); }));
  }
  ExpectRefused("33 eigenvectors", kInvalid, theory([](auto& r) { r.set_eigenmaps(33); }));
  ExpectRefused("five patterns", kInvalid, theory([](auto& r) {
                  for (int i = 0; i < 5; ++i) r.add_patterns();
                }));
  using Spoil = std::function<void(v1::PatternDynamics&)>;
  const std::pair<const char*, Spoil> kPatterns[] = {
      {"coupling 99",
       [](auto& p) { p.set_coupling(static_cast<v1::PatternDynamics::Coupling>(99)); }},
      {"sigmoid", [](auto& p) { p.set_activation("sigmoid"); }},
      {"no units", [](auto& p) { p.set_units(0); }},
      {"65 units", [](auto& p) { p.set_units(65); }},
      {"a step of 0", [](auto& p) { p.set_step_size(0); }},
      {"a step that is no number", [](auto& p) { p.set_step_size(NAN); }},
      {"an infinite step", [](auto& p) { p.set_step_size(INFINITY); }},
      {"too many steps", [](auto& p) { p.set_steps(20'001); }},
      {"a negative seed", [](auto& p) { p.set_seed(-1); }},
  };
  for (const auto& [what, spoil] : kPatterns) {
    ExpectRefused(what, kInvalid, theory([&](auto& r) { spoil(*r.add_patterns()); }));
  }
  using SpoilConfig = std::function<void(v1::RunConfig&)>;
  const std::pair<const char*, SpoilConfig> kConfigs[] = {
      {"no readout", [](auto& c) { c.clear_place_field_values(); }},
      {"an unknown readout", [](auto& c) { c.set_place_field_values("hexagons"); }},
      {"no cells", [](auto& c) { c.set_np(0); }},
      {"a negative width", [](auto& c) { c.mutable_place_cell_rf()->set_constant(-1); }},
      {"a width that is no number", [](auto& c) { c.mutable_place_cell_rf()->set_constant(NAN); }},
      {"a box without a width", [](auto& c) { c.set_box_width_in_m(0); }},
  };
  for (const auto& [what, spoil] : kConfigs) {
    ExpectRefused(what, kInvalid, theory([&](auto& r) { spoil(*r.mutable_configs(0)); }));
  }
  // Too large to compute: named, not tried.
  EXPECT_TRUE(theory([](auto& r) { r.mutable_configs(0)->set_np(2'000'000'000); }).ok());
}

}  // namespace
}  // namespace gridsweep::testing

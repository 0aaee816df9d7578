// SweepService: files and specs that make no sweep, and questions that make no sense.
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>

#include "common/strings.h"
#include "tests/end_to_end/malformed_fixture.h"

namespace gridsweep::testing {
namespace {

using grpc::StatusCode;
using std::string_literals::operator""s;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

// A file that is right but for `parameters`.
std::string File(const std::string& parameters) {
  return "method: grid\nparameters:\n  place_field_values: {value: gaussian}\n" + parameters;
}

class MalformedSweeps : public Malformed {
 protected:
  template <typename Request, typename Response>
  grpc::Status Ask(grpc::Status (v1::SweepService::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    return (sweeps_.get()->*method)(&context, request, response);
  }
  grpc::Status Create(const v1::CreateSweepRequest& request) {
    v1::CreateSweepResponse response;
    return Ask(&v1::SweepService::Stub::CreateSweep, request, &response);
  }

  // CreateSweep refuses it, and ValidateSweep says that it is wrong.
  void ExpectInvalid(const std::string& what, const v1::CreateSweepRequest& request) {
    ExpectRefused(what, StatusCode::INVALID_ARGUMENT, Create(request));
    v1::ValidateSweepRequest question;
    if (request.has_spec()) *question.mutable_spec() = request.spec();
    if (request.has_yaml()) question.set_yaml(request.yaml());
    v1::ValidateSweepResponse answer;
    const grpc::Status status = Ask(&v1::SweepService::Stub::ValidateSweep, question, &answer);
    EXPECT_TRUE(status.ok()) << what << ": " << status.error_message();
    EXPECT_FALSE(answer.valid()) << what;
    EXPECT_GT(answer.notices_size(), 0) << what;
  }

  const std::unique_ptr<v1::SweepService::Stub> sweeps_ =
      v1::SweepService::NewStub(stage_.coordinator);
};

TEST_F(MalformedSweeps, FilesThatMakeNoSweepAreRefused) {
  const std::string deep(10'000, '[');
  const std::pair<const char*, std::string> files[] = {
      {"nothing", ""},
      {"no mapping", "just words"},
      {"a list", "- method: grid\n"},
      {"an open bracket", "method: grid\nparameters: {Ng: {value: 4}"},
      {"an open quote", "method: \"grid\n"},
      {"a tab for a space", "method: grid\nparameters:\n\tNg: {value: 4}\n"},
      {"a NUL", "method: grid\0parameters: {}"s},
      {"a NUL in quotes", "name: \"a\\0b\"\n" + File("  Ng: {value: 4}\n")},
      {"a control character", "method: \x01grid\n"},
      {"binary",
       "\x7F"
       "ELF\x02\x01\x01"s},
      {"nested too deep", deep},
      {"an alias of itself", "a: &a [*a]\n"},
      {"aliases of aliases",
       "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
       "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
       "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"},
      {"two documents", File("  Ng: {value: 4}\n") + "---\n" + File("")},
      {"a duplicate key", File("  Ng: {value: 4}\n  Ng: {value: 5}\n")},
      {"a duplicate key at the top", "method: grid\n" + File("")},
      {"an unknown key", "methods: grid\n" + File("")},
      {"an unknown tag", File("  Ng: {value: !!python/object:os.system 4}\n")},
      {"no method", "parameters: {Ng: {value: 4}}\n"},
      {"no parameters", "method: grid\n"},
      {"an unknown method", "method: gird\nparameters: {Ng: {value: 4}}\n"},
      {"bayes", "method: bayes\nmetric: {name: loss}\nparameters: {Ng: {value: 4}}\n"},
      {"an unknown parameter", File("  Mg: {value: 4}\n")},
      {"a parameter of quotes", File("  \"'; drop table runs; --\": {value: 4}\n")},
      {"text for a number", File("  Ng: {value: four}\n")},
      {"a list for a number", File("  Ng: {value: [4]}\n")},
      {"no value", File("  Ng: {}\n")},
      {"an empty list of values", File("  Ng: {values: []}\n")},
      {"a fraction for a whole number", File("  Ng: {value: 4.5}\n")},
      {"less than nothing", File("  Ng: {value: -4}\n")},
      {"none at all", File("  Ng: {value: 0}\n")},
      {"more than memory holds", File("  Ng: {value: 3000000000}\n")},
      {"a number beyond 64 bits", File("  Ng: {value: 99999999999999999999999}\n")},
      {"a number beyond all", File("  learning_rate: {value: 1e999}\n")},
      {"not a number", File("  learning_rate: {value: .nan}\n")},
      {"infinity", File("  box_width_in_m: {value: .inf}\n")},
      {"steps beyond 64 bits",
       File("  n_epochs: {value: 4000000000}\n  n_grad_steps_per_epoch: {value: 4000000000}\n")},
      {"a negative seed", File("  seed: {value: -1}\n")},
      {"a seed beyond 64 bits", File("  seed: {value: 9223372036854775808}\n")},
      {"an unknown choice", File("  rnn_type: {value: LSTN}\n")},
      {"a broken draw", File("  place_cell_rf: {value: \"Uniform( 0.2 , 0.1 )\"}\n")},
      {"cross-entropy without a softmax", File("  place_field_loss: {value: crossentropy}\n"
                                               "  place_field_normalization: {value: none}\n")},
      {"a cartesian readout of nine",
       "method: grid\nparameters:\n"
       "  place_field_values: {value: cartesian}\n"
       "  Np: {value: 9}\n"},
      {"impossible points among possible ones",
       File("  place_field_loss: {values: [mse, polarmse, crossentropy]}\n")},
      {"a grid of 10^12 points", File("  seed: {distribution: int_uniform, min: 0, max: 1000000}\n"
                                      "  Ng: {distribution: int_uniform, min: 1, max: 1000000}\n")},
      {"a grid over a continuum",
       File("  learning_rate: {distribution: uniform, min: 0.1, max: 0.2}\n")},
      {"min above max",
       "method: random\nrun_cap: 3\nparameters:\n  place_field_values: {value: gaussian}\n"
       "  learning_rate: {min: 0.2, max: 0.1}\n"},
      {"an endless random search",
       "method: random\nrun_cap: 4000000000000\nparameters:\n"
       "  place_field_values: {value: gaussian}\n"
       "  learning_rate: {min: 0.1, max: 0.2}\n"},
      {"an exclusion of all", File("  Ng: {value: 4}\n") + "gridsweep: {exclude: [{Ng: 4}]}\n"},
      {"an unknown setting", File("") + "gridsweep: {seed: 4}\n"},
      {"a million million seeds", File("") + "gridsweep: {seeds: 1000000000000}\n"},
      {"no attempt", File("") + "gridsweep: {max_attempts: 0}\n"},
      {"a priority beyond 32 bits", File("") + "gridsweep: {priority: 3000000000}\n"},
      {"labels of lists", File("") + "gridsweep: {labels: {a: [b]}}\n"},
  };
  for (const auto& [what, yaml] : files) {
    v1::CreateSweepRequest request;
    request.set_yaml(yaml);
    ExpectInvalid(what, request);
  }
}

TEST_F(MalformedSweeps, SpecsThatMakeNoSweepAreRefused) {
  const auto spec = [](const std::function<void(v1::SweepSpec&)>& spoil) {
    v1::CreateSweepRequest request;
    request.mutable_spec()->mutable_base()->set_place_field_values("gaussian");
    request.mutable_spec()->mutable_base()->set_ng(4);
    spoil(*request.mutable_spec());
    return request;
  };
  const auto axis = [&](const std::string& parameter, const std::vector<std::string>& values) {
    return spec([&](v1::SweepSpec& s) {
      s.add_axes()->set_parameter(parameter);
      for (const auto& value : values) s.mutable_axes(0)->add_values_json(value);
    });
  };
  ExpectInvalid("no readout", spec([](auto& s) { s.mutable_base()->clear_place_field_values(); }));
  ExpectInvalid("nothing", spec([](auto& s) { s.Clear(); }));
  ExpectInvalid("Ng 0", spec([](auto& s) { s.mutable_base()->set_ng(0); }));
  ExpectInvalid("Ng < 0", spec([](auto& s) { s.mutable_base()->set_ng(kLeast); }));
  ExpectInvalid("Ng too large", spec([](auto& s) { s.mutable_base()->set_ng(kMost); }));
  ExpectInvalid("Np too large", spec([](auto& s) { s.mutable_base()->set_np(kMost); }));
  ExpectInvalid("seed < 0", spec([](auto& s) { s.mutable_base()->set_seed(-1); }));
  ExpectInvalid("NaN", spec([](auto& s) { s.mutable_base()->set_learning_rate(NAN); }));
  ExpectInvalid("infinite", spec([](auto& s) { s.mutable_base()->set_weight_decay(INFINITY); }));
  ExpectInvalid("an empty draw", spec([](auto& s) { s.mutable_base()->mutable_place_cell_rf(); }));
  ExpectInvalid("a draw of nothing",
                spec([](auto& s) { s.mutable_base()->mutable_place_cell_rf()->set_constant(0); }));
  ExpectInvalid("an unknown choice",
                spec([](auto& s) { s.mutable_base()->set_activation("' or 1=1 --"); }));
  ExpectInvalid("a choice with a NUL",
                spec([](auto& s) { s.mutable_base()->set_activation("relu\0"s); }));
  ExpectInvalid("a name with a NUL", spec([](auto& s) { s.set_name("a\0b"s); }));
  ExpectInvalid("a label with a NUL",
                spec([](auto& s) { (*s.mutable_settings()->mutable_labels())["a"] = "b\0"s; }));
  ExpectInvalid("no attempt", spec([](auto& s) { s.mutable_settings()->set_max_attempts(0); }));
  ExpectInvalid("too many attempts",
                spec([](auto& s) { s.mutable_settings()->set_max_attempts(32768); }));
  ExpectInvalid("too much at once",
                spec([](auto& s) { s.mutable_settings()->set_max_parallel(1u << 31); }));
  ExpectInvalid("too many seeds", spec([](auto& s) { s.set_seeds(4'000'000'000); }));
  ExpectInvalid("seeds twice", spec([](auto& s) {
                  s.set_seeds(2);
                  s.add_axes()->set_parameter("seed");
                  s.mutable_axes(0)->add_values_json("1");
                }));
  ExpectInvalid("an unknown axis", axis("Mg", {"1"}));
  ExpectInvalid("an axis without a name", axis("", {"1"}));
  ExpectInvalid("an axis without values", axis("Ng", {}));
  for (const char* value : {"", "x", "[1]", "{}", "null", "1 2", "\"4\"", "1e400", "-1", "4.5",
                            "18446744073709551616", "tru", "NaN"}) {
    ExpectInvalid(StrCat("Ng = ", value), axis("Ng", {"4", value}));
  }
}

TEST_F(MalformedSweeps, RequestsThatMakeNoSenseAreRefused) {
  v1::CreateSweepRequest good;
  good.set_yaml(File("  Ng: {value: 4}\n"));
  const auto with = [&](const std::function<void(v1::CreateSweepRequest&)>& spoil) {
    v1::CreateSweepRequest request = good;
    spoil(request);
    return Create(request);
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  ExpectRefused("no source", invalid, with([](auto& r) { r.clear_source(); }));
  ExpectRefused("a long request id", invalid,
                with([](auto& r) { r.set_request_id(std::string(65, 'x')); }));
  ExpectRefused("another's request id", StatusCode::ALREADY_EXISTS,
                with([](auto& r) { r.set_request_id("held"); }));
  ExpectRefused("a number of draws for a grid", invalid, with([](auto& r) { r.set_runs(3); }));
  ExpectRefused("a name with a NUL", invalid, with([](auto& r) { r.set_name("a\0b"s); }));
  const std::string book(5'000, 'x');
  ExpectRefused("a name as long as a book", invalid, with([&](auto& r) { r.set_name(book); }));
  ExpectRefused("such a name in the file", invalid,
                with([&](auto& r) { r.set_yaml("name: " + book + "\n" + good.yaml()); }));
  ExpectRefused("a message of 5 MiB", StatusCode::RESOURCE_EXHAUSTED,
                with([](auto& r) { r.set_yaml(std::string(5 << 20, 'x')); }));
  const std::string endless =
      "method: random\nparameters:\n  place_field_values: {value: gaussian}\n"
      "  seed: {min: 0, max: 9}\n";
  ExpectRefused("a random search without a number", invalid,
                with([&](auto& r) { r.set_yaml(endless); }));
  for (const uint64_t runs : {uint64_t{0}, uint64_t{1} << 40, ~uint64_t{0}}) {
    ExpectRefused(StrCat(runs, " draws"), invalid, with([&](auto& r) {
                    r.set_yaml(endless);
                    r.set_runs(runs);
                  }));
  }
}

TEST_F(MalformedSweeps, QuestionsThatMakeNoSenseAreRefused) {
  const auto invalid = StatusCode::INVALID_ARGUMENT, not_found = StatusCode::NOT_FOUND;
  using Stub = v1::SweepService::Stub;
  for (const int64_t id :
       {int64_t{-1}, int64_t{999'999}, int64_t{1} << 31, int64_t{1} << 40, kMost, kLeast}) {
    v1::GetSweepRequest get;
    get.set_sweep_id(id);
    v1::GetSweepResponse sweep;
    ExpectRefused(StrCat("sweep ", id), not_found, Ask(&Stub::GetSweep, get, &sweep));
    v1::CancelSweepRequest cancel;
    cancel.set_sweep_id(id);
    v1::CancelSweepResponse cancelled;
    ExpectRefused(StrCat("cancel ", id), not_found, Ask(&Stub::CancelSweep, cancel, &cancelled));
    v1::ListRunsRequest list;
    list.set_sweep_id(id);
    v1::ListRunsResponse runs;
    ExpectRefused(StrCat("runs of ", id), not_found, Ask(&Stub::ListRuns, list, &runs));
    v1::GetRunRequest run;
    run.set_run_id(id);
    v1::GetRunResponse got;
    ExpectRefused(StrCat("run ", id), not_found, Ask(&Stub::GetRun, run, &got));
    v1::WatchSweepRequest watch;
    watch.set_sweep_id(id);
    ExpectRefused(StrCat("watch ", id), not_found,
                  Call(stage_.coordinator, "/gridsweep.v1.SweepService/WatchSweep",
                       {watch.SerializeAsString()})
                      .status);
  }
  v1::GetSweepResponse sweep;
  for (const std::string& name : {"nobody"s, "'; drop table sweeps; --"s, "%"s}) {
    v1::GetSweepRequest get;
    get.set_name(name);
    ExpectRefused(name, not_found, Ask(&Stub::GetSweep, get, &sweep));
  }
  v1::GetSweepRequest cut;
  cut.set_name("held\0"s);
  ExpectRefused("a name with a NUL", invalid, Ask(&Stub::GetSweep, cut, &sweep));
  ExpectRefused("no sweep", invalid, Ask(&Stub::GetSweep, v1::GetSweepRequest(), &sweep));

  for (const std::string& token : {"0"s, "-1"s, "x"s, "1x"s, " 1"s, "1\0"s, "1e3"s, "+1"s,
                                   "9223372036854775808"s, "' or 1=1"s}) {
    v1::ListSweepsRequest sweeps;
    sweeps.set_page_token(token);
    v1::ListSweepsResponse listed;
    ExpectRefused("page " + token, invalid, Ask(&Stub::ListSweeps, sweeps, &listed));
    v1::ListRunsRequest runs;
    runs.set_sweep_id(stage_.sweep_id);
    runs.set_page_token(token);
    v1::ListRunsResponse run;
    ExpectRefused("page " + token, invalid, Ask(&Stub::ListRuns, runs, &run));
  }
  for (const uint32_t size : {1001u, ~0u}) {
    v1::ListSweepsRequest sweeps;
    sweeps.set_page_size(size);
    v1::ListSweepsResponse listed;
    ExpectRefused(StrCat("pages of ", size), invalid, Ask(&Stub::ListSweeps, sweeps, &listed));
  }
  for (const int state : {0, 9, -1, 1'000'000}) {
    v1::ListRunsRequest runs;
    runs.set_sweep_id(stage_.sweep_id);
    runs.add_states(static_cast<v1::RunState>(state));
    v1::ListRunsResponse run;
    ExpectRefused(StrCat("state ", state), invalid, Ask(&Stub::ListRuns, runs, &run));
  }
}

}  // namespace
}  // namespace gridsweep::testing

#include "tests/chaos/fleet.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "common/strings.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

}  // namespace

Fleet::Fleet(fs::path artifacts)
    : artifacts_(artifacts.empty() ? directory_ / "artifacts" : std::move(artifacts)) {}

Fleet::~Fleet() {
  // Workers first: what they hold goes back to a coordinator.
  for (auto program = programs_.rbegin(); program != programs_.rend(); ++program) {
    EXPECT_EQ((*program)->Terminate(), 0);
  }
  if (::testing::Test::HasFailure()) {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (entry.path().extension() != ".log") continue;
      std::printf("== %s\n%s\n", entry.path().c_str(), ReadFile(entry.path()).c_str());
    }
  }
}

void Fleet::StartProgram(const std::string& program, const std::string& name,
                         std::vector<std::string> words) {
  words.insert(words.begin(), Binary(program));
  programs_.push_back(std::make_unique<Program>(words, directory_ / (name + ".log")));
}

Ran Fleet::Sweepctl(const std::vector<std::string>& arguments) const {
  return RunSweepctl(directory_.path(), Socket("coordinator-0"), Socket("analysis"), arguments);
}

Ran Fleet::Submit(int first, int runs) const {
  const fs::path file = directory_ / "sweep.yaml";
  std::ofstream(file) << "name: tiny\nmethod: grid\nparameters:\n"
                         "  place_field_values: {value: gaussian}\n  Ng: {value: 2}\n"
                         "  Np: {value: 3}\n  batch_size: {value: 1}\n"
                         "  sequence_length: {value: 1}\n  n_epochs: {value: 1}\n"
                         "  n_grad_steps_per_epoch: {value: 100}\n  eval_batches: {value: 1}\n"
                         "  eval_sequence_length: {value: 1}\n  bin_side_in_m: {value: 0.55}\n"
                         "  chance_units: {value: 0}\n  seed: {min: "
                      << first << ", max: " << first + runs - 1 << ", distribution: int_uniform}\n";
  return Sweepctl({"submit", file, "-o", "name"});
}

void Fleet::Start(const std::string& conninfo, int runs) {
  runs_ = runs;
  for (const int i : {0, 1}) {
    const std::string name = StrCat("coordinator-", i);
    StartProgram("gridsweep-coordinator", name,
                 {"--listen", Socket(name), "--database", conninfo, "--artifacts", artifacts_,
                  "--lease-ttl", "2s", "--heartbeat-interval", "500ms"});
    ASSERT_TRUE(Within([&] { return fs::exists(directory_ / (name + ".sock")); }));
  }
  StartProgram(
      "gridsweep-analysis", "analysis",
      {"--listen", Socket("analysis"), "--database", conninfo, "--artifacts", artifacts_});
  for (const int i : {0, 1}) {
    const std::string name = StrCat("worker-", i);
    StartProgram("gridsweep-worker", name,
                 {"--coordinator", Socket(StrCat("coordinator-", i)), "--name", name, "--slots",
                  "2", "--spool", directory_ / "spool"});
  }
  const Ran submitted = Submit(0, runs);
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  sweep_ = submitted.out.substr(0, submitted.out.find('\n'));
}

void Fleet::ExpectGoodEnd(const PostgresServer& server, const std::string& database) const {
  const Ran waited = Sweepctl({"wait", sweep_, "--timeout", Timeout(std::chrono::minutes(3))});
  EXPECT_EQ(waited.code, 0) << waited.out << waited.err;
  const auto count = [&](const std::string& what) {
    return server.Ask("select count(*) from " + what, database);
  };
  EXPECT_EQ(count("run_results where sweep_id = " + sweep_), StrCat(runs_));
  EXPECT_EQ(count("run_state where state <> 4 and sweep_id = " + sweep_), "0");
  EXPECT_EQ(count("leases where sweep_id = " + sweep_), "0");
  EXPECT_EQ(count("attempts where outcome = 'failed'"), "0");
  const Ran verified = Sweepctl({"verify", sweep_});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_NE(verified.out.find(" 0 faults"), std::string::npos) << verified.out;
}

}  // namespace gridsweep::testing

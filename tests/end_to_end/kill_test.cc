// A worker is killed at a point drawn from a seed, and nothing is lost,
// counted twice, or blamed on a run. Seeds 1 to 20, or those that
// GRIDSWEEP_KILL_SEEDS names: "7" or "1-1000".
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "common/strings.h"
#include "tests/end_to_end/instance.h"
#include "tests/end_to_end/kill_plan.h"
#include "tests/end_to_end/result_scores.h"
#include "tests/end_to_end/victim.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kRuns = 6, kNg = 128;
constexpr uint64_t kSteps = 1200;
// Before the kill the other worker gets no more, so that the victim has enough to get there.
constexpr int kRunsOfTheOther = 2;
constexpr char kReplaced[] = "the worker's process ended and another took its place";
constexpr char kExpired[] = "the lease expired: no heartbeat in time";
constexpr char kUndelivered[] = "the caller had gone";

// Two readouts, three seeds each, which no other test of this file has: equal
// runs would have equal artifacts, and those are not uploaded twice.
std::string SweepOf(uint64_t seed) {
  return StrCat("name: kill-", seed,
                "\nmethod: grid\nparameters:\n"
                "  place_field_values: {values: [gaussian, difference_of_gaussians]}\n"
                "  Ng: {value: ",
                kNg,
                "}\n  Np: {value: 16}\n  batch_size: {value: 8}\n  sequence_length: {value: 5}\n"
                "  n_epochs: {value: 1}\n  n_grad_steps_per_epoch: {value: ",
                kSteps, "}\n  eval_batches: {value: 40}\n  chance_units: {value: 0}\n",
                "  seed: {values: [", 3 * seed, ", ", 3 * seed + 1, ", ", 3 * seed + 2, "]}\n");
}

std::vector<uint64_t> Seeds() {
  uint64_t first = 1, last = 20;
  if (const char* range = getenv("GRIDSWEEP_KILL_SEEDS")) {
    const int read = std::sscanf(range, "%lu-%lu", &first, &last);
    if (read == 1) last = first;
  }
  std::vector<uint64_t> seeds;
  for (uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

std::vector<fs::path> StoredArtifacts(const Instance& instance) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(instance.artifacts())) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  }
  return files;
}

// A worker that holds back until the victim is dead.
class Other {
 public:
  Other(const Instance& instance, const Victim& victim, const std::string& name)
      : proxy_(instance.coordinator(), instance.Socket(name), Hooks(victim)),
        worker_(instance.StartWorker(name, 1, instance.Socket(name), name)) {}

  Program& worker() { return *worker_; }

 private:
  DispatchHooks Hooks(const Victim& victim) {
    DispatchHooks hooks;
    hooks.asking = [this, &victim] {
      Within([&] { return runs_ < kRunsOfTheOther || !victim.Killed().empty(); },
             std::chrono::minutes(2));
    };
    hooks.granted = [this](const v1::LeaseRunsResponse& response) {
      runs_ += response.leases_size();
      return true;
    };
    return hooks;
  }

  std::atomic<int> runs_ = 0;
  DispatchProxy proxy_;
  std::unique_ptr<Program> worker_;  // ends before the proxy
};

class KilledWorker : public ::testing::TestWithParam<uint64_t> {
 protected:
  static void SetUpTestSuite() {
    instance_ = new Instance(
        {"--lease-ttl", "2s", "--heartbeat-interval", "25ms", "--backoff-base", "200ms",
         "--artifact-grace", "3s"});
  }
  static void TearDownTestSuite() { delete instance_; }

  // Every run succeeded, once; every lease ended as `leases` of the dead worker says.
  static void CheckRuns(const json& runs, const KillPlan& plan, const Victim::Leases& leases) {
    ASSERT_EQ(runs.size(), size_t{kRuns});
    std::map<Victim::Lease, std::string> outcomes;
    for (const json& run : runs) {
      const std::string id = run.at("run_id");
      SCOPED_TRACE("run " + id);
      EXPECT_EQ(run.at("state"), "RUN_STATE_SUCCEEDED");
      const json described = instance_->Ask({"describe", "run", id});
      const json& attempts = described.at("attempts");
      EXPECT_EQ(static_cast<size_t>(run.at("attempt")), attempts.size());
      int succeeded = 0, failures = 0;
      for (const json& attempt : attempts) {
        const std::string outcome = attempt.at("outcome"), error = attempt.at("error");
        outcomes[{std::stoll(id), attempt.at("attempt")}] = outcome;
        succeeded += outcome == "succeeded";
        failures += error == kReplaced;
        if (outcome == "lost") {
          EXPECT_TRUE(error == kExpired || (plan.same_name && error == kReplaced)) << error;
        } else if (outcome == "released") {
          EXPECT_EQ(error, kUndelivered);
        } else {
          EXPECT_EQ(outcome, "succeeded") << error;
        }
      }
      EXPECT_EQ(succeeded, 1);
      // A machine that vanishes costs none, a process that is replaced one.
      EXPECT_EQ(run.at("failures"), failures);
    }
    for (const Victim::Lease& lease : leases.lost) {
      EXPECT_EQ(outcomes[lease], "lost") << lease.first << ", " << lease.second;
    }
    for (const Victim::Lease& lease : leases.succeeded) {
      EXPECT_EQ(outcomes[lease], "succeeded") << lease.first << ", " << lease.second;
    }
    for (const Victim::Lease& lease : leases.either) {
      EXPECT_THAT(outcomes[lease], ::testing::AnyOf("lost", "succeeded"));
    }
  }

  static fs::path ArtifactOf(const json& run) {
    const std::string hash = run.at("artifact_sha256");
    return instance_->artifacts() / hash.substr(0, 2) / hash.substr(2, 2) / (hash + ".h5");
  }

  // What analysis answers is what the files say.
  static void CheckFractions(const std::string& sweep, const json& runs, double threshold) {
    struct Count {
      int64_t above = 0, all = 0;
      bool operator==(const Count&) const = default;
    };
    std::map<std::string, Count> counted, answered;
    for (const json& run : runs) {
      const ResultScores scores = ReadResultScores(ArtifactOf(run));
      EXPECT_EQ(scores.readout, run.at("readout").get<std::string>());
      EXPECT_EQ(scores.grid_score_60.size(), size_t{kNg});
      Count& count = counted[scores.readout];
      for (const double score : scores.grid_score_60) {
        ++count.all;
        count.above += score > threshold;
      }
    }
    const json answer = instance_->Ask({"query", "fraction", "--sweep", sweep, "--by", "readout",
                                        "--threshold", StrCat(threshold)});
    for (const json& row : answer.at("rows")) {
      answered[row.at("group").at("key").at(0).at("text")] = {
          std::stoll(row.at("numerator").get<std::string>()),
          std::stoll(row.at("denominator").get<std::string>())};
    }
    ASSERT_EQ(counted.size(), 2u);
    if (threshold == 0) {
      for (const auto& [readout, count] : counted) EXPECT_GT(count.above, 0) << readout;
    }
    EXPECT_EQ(answered, counted) << "above " << threshold;
  }

  static Instance* instance_;
};

Instance* KilledWorker::instance_ = nullptr;

TEST_P(KilledWorker, CostsNoRunAndCountsNoneTwice) {
  const KillPlan plan = DrawKillPlan(GetParam(), kSteps);
  SCOPED_TRACE(Describe(plan));
  std::printf("%s\n", Describe(plan).c_str());
  const size_t files_before = StoredArtifacts(*instance_).size();
  const std::string sweep = instance_->Submit(SweepOf(plan.seed));
  ASSERT_FALSE(sweep.empty());

  const std::string name = StrCat("victim-", plan.seed);
  Victim victim(*instance_, plan, name);
  Other other(*instance_, victim, StrCat("other-", plan.seed));
  ASSERT_TRUE(Within([&] { return !victim.Killed().empty(); }, std::chrono::minutes(2)))
      << "the point was not reached";
  std::printf("  killed: %s\n", victim.Killed().c_str());
  const auto third = instance_->StartWorker(plan.same_name ? name : StrCat("third-", plan.seed), 1,
                                            instance_->coordinator(), StrCat("third-", plan.seed));

  const Ran waited = instance_->Sweepctl({"wait", sweep, "--timeout",
      Timeout(std::chrono::minutes(2))});
  EXPECT_EQ(waited.code, 0) << waited.out << waited.err;
  EXPECT_EQ(third->Terminate(), 0);
  EXPECT_EQ(other.worker().Terminate(), 0);

  const Ran verified = instance_->Sweepctl({"verify", sweep});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  const json runs = instance_->Ask({"get", "runs", "--sweep", sweep});
  CheckRuns(runs, plan, victim.ItsLeases());
  for (const double threshold : {0.8, 0.0, 0.0625}) CheckFractions(sweep, runs, threshold);
  for (const json& run : runs) {
    EXPECT_EQ((fs::file_size(ArtifactOf(run)) - 1) >> 20, uint64_t{kUploadChunks - 1});
  }
  // What two workers made of one run is the same file; what one did not finish is gone.
  EXPECT_EQ(StoredArtifacts(*instance_).size(), files_before + kRuns);
  EXPECT_TRUE(Within([] { return fs::is_empty(instance_->artifacts() / "tmp"); }));
}

INSTANTIATE_TEST_SUITE_P(EndToEnd, KilledWorker, ::testing::ValuesIn(Seeds()),
                         [](const auto& test) { return StrCat("seed_", test.param); });

}  // namespace
}  // namespace gridsweep::testing

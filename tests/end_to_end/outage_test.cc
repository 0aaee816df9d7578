// PostgreSQL, or every coordinator, is gone for five lease times while fifty runs are in training
// and on their way: no attempt is added, and nothing is trained again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "common/strings.h"
#include "tests/end_to_end/instance.h"
#include "tests/support/postgres.h"

namespace gridsweep::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kLeaseTime{3};
constexpr int kWorkers = 5, kSlots = 10, kRuns = 50;
constexpr char kReplaced[] = "the worker's process ended and another took its place";

constexpr char kLongest[] = ", 12000 steps";

// Ten seeds of five lengths: at any moment of the first minute some train and some end. A worker
// may have all ten runs of one length.
std::string SweepOf(int first_seed) {
  std::string seeds;
  for (int i = 0; i < kRuns / 5; ++i) seeds += StrCat(i == 0 ? "" : ", ", first_seed + i);
  return StrCat(
      "name: outage\nmethod: grid\nparameters:\n"
      "  place_field_values: {value: gaussian}\n  Ng: {value: 64}\n  Np: {value: 16}\n"
      "  batch_size: {value: 8}\n  sequence_length: {value: 5}\n  n_epochs: {value: 1}\n"
      "  n_grad_steps_per_epoch: {values: [300, 900, 2400, 6000, 12000]}\n"
      "  eval_batches: {value: 4}\n  chance_units: {value: 0}\n  seed: {values: [",
      seeds, "]}\n");
}

class Outage : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    instance_ = new Instance({"--lease-ttl", "3s", "--heartbeat-interval", "500ms"});
  }
  static void TearDownTestSuite() { delete instance_; }

  void SetUp() override {
    second_ = instance_->StartCoordinator(instance_->Socket("second"), "second");
  }
  void TearDown() override { EXPECT_EQ(second_->Terminate(), 0); }

  // Workers of this test, spread over the two coordinators.
  static std::string NameOf(const std::string& test, int i) { return StrCat(test, "-", i); }
  static std::unique_ptr<Program> Worker(const std::string& test, int i) {
    return instance_->StartWorker(
        NameOf(test, i), kSlots,
        i % 2 == 0 ? instance_->coordinator() : instance_->Socket("second"), NameOf(test, i));
  }
  static std::string LogOf(const std::string& test, int i) {
    return ReadFile(instance_->LogOf(NameOf(test, i)));
  }

  // Submits and waits until every run is with a worker.
  std::string Begin(const std::string& test, int first_seed) {
    const std::string sweep = instance_->Submit(SweepOf(first_seed));
    for (int i = 0; i < kWorkers; ++i) workers_.push_back(Worker(test, i));
    const auto all_begun = [&] {
      size_t starts = 0;
      for (int i = 0; i < kWorkers; ++i) {
        const std::string log = LogOf(test, i);
        for (size_t at = 0; (at = log.find(" starts: ", at)) != std::string::npos; ++at) ++starts;
      }
      return starts == kRuns;
    };
    EXPECT_TRUE(Within(all_begun, std::chrono::minutes(2)));
    return sweep;
  }

  static void LetFiveLeaseTimesPass(const std::function<bool()>& at_least) {
    std::this_thread::sleep_for(5 * kLeaseTime);
    EXPECT_TRUE(Within(at_least, std::chrono::minutes(2)));
  }

  void KillCoordinators() {
    instance_->KillCoordinator();
    EXPECT_TRUE(second_->Kill());
  }
  void StartCoordinators() {
    instance_->RestartCoordinator();
    second_ = instance_->StartCoordinator(instance_->Socket("second"), "second");
  }

  // The runs whose results a worker has written to its disk.
  static std::set<std::string> Spooled(const std::string& test, int i) {
    static const std::regex line("run ([0-9]+): no coordinator takes its result");
    const std::string log = LogOf(test, i);
    std::set<std::string> runs;
    for (std::sregex_iterator at(log.begin(), log.end(), line), end; at != end; ++at) {
      runs.insert((*at)[1]);
    }
    return runs;
  }
  static size_t SpooledByAll(const std::string& test) {
    size_t all = 0;
    for (int i = 0; i < kWorkers; ++i) all += Spooled(test, i).size();
    return all;
  }

  // Of a process that took another's place: a library's worth of time after its start.
  static bool HasFoundItsSpool(const std::string& test, int i) {
    return LogOf(test, i).find("and are handed in") != std::string::npos;
  }

  // The first worker of which `holds` is true, waited for.
  static int WorkerOfWhich(const std::function<bool(int)>& holds) {
    int found = -1;
    const auto look = [&] {
      for (int i = 0; i < kWorkers && found < 0; ++i) {
        if (holds(i)) found = i;
      }
      return found >= 0;
    };
    EXPECT_TRUE(Within(look, std::chrono::minutes(2)));
    return found;
  }

  // Everything has succeeded and can be checked; the outcomes and errors of each run's attempts.
  std::map<std::string, std::vector<std::string>> End(const std::string& sweep) {
    const Ran waited = instance_->Sweepctl({"wait", sweep, "--timeout",
        Timeout(std::chrono::minutes(5))});
    EXPECT_EQ(waited.code, 0) << waited.out << waited.err;
    for (const auto& worker : workers_) EXPECT_EQ(worker->Terminate(), 0);
    EXPECT_THAT(instance_->Sweepctl({"verify", sweep}).out, HasSubstr("0 faults"));
    std::map<std::string, std::vector<std::string>> attempts;
    const json runs = instance_->Ask({"get", "runs", "--sweep", sweep, "--limit", "100"});
    for (const json& run : runs) {
      const std::string id = run.at("run_id");
      EXPECT_EQ(run.at("state"), "RUN_STATE_SUCCEEDED") << id;
      const json described = instance_->Ask({"describe", "run", id});
      for (const json& attempt : described.at("attempts")) {
        const std::string error = attempt.at("error");
        attempts[id].push_back(attempt.at("outcome").get<std::string>() +
                               (error.empty() ? "" : ": " + error));
      }
    }
    EXPECT_EQ(attempts.size(), size_t{kRuns});
    return attempts;
  }
  static void ExpectOneAttemptEach(
      const std::map<std::string, std::vector<std::string>>& attempts) {
    for (const auto& [run, outcomes] : attempts) {
      EXPECT_THAT(outcomes, ::testing::ElementsAre("succeeded")) << "run " << run;
    }
  }

  static Instance* instance_;
  std::unique_ptr<Program> second_;
  std::vector<std::unique_ptr<Program>> workers_;
};
Instance* Outage::instance_ = nullptr;

TEST_F(Outage, OfPostgresCostsNoAttempt) {
  const std::string sweep = Begin("postgres", 100);
  StopPostgres();
  LetFiveLeaseTimesPass([] { return SpooledByAll("postgres") > 0; });
  StartPostgres();
  ExpectOneAttemptEach(End(sweep));
}

TEST_F(Outage, OfEveryCoordinatorCostsNoAttempt) {
  const std::string sweep = Begin("coordinators", 200);
  KillCoordinators();
  LetFiveLeaseTimesPass([] { return SpooledByAll("coordinators") > 0; });
  StartCoordinators();
  ExpectOneAttemptEach(End(sweep));
}

TEST_F(Outage, KeepsTheResultsOfAWorkerThatDiesInIt) {
  const std::string sweep = Begin("killed", 300);
  KillCoordinators();
  const int victim = WorkerOfWhich([](int i) { return !Spooled("killed", i).empty(); });
  ASSERT_GE(victim, 0);
  ASSERT_TRUE(workers_[victim]->Kill());
  const std::set<std::string> kept = Spooled("killed", victim);
  workers_[victim] = Worker("killed", victim);
  LetFiveLeaseTimesPass([&] { return HasFoundItsSpool("killed", victim); });
  StartCoordinators();
  const auto attempts = End(sweep);
  for (const auto& [run, outcomes] : attempts) {
    if (outcomes.size() == 1) continue;
    // What had not ended with the process is lost with it.
    EXPECT_FALSE(kept.contains(run)) << run;
    EXPECT_THAT(outcomes,
                ::testing::ElementsAre(StrCat("lost: ", kReplaced), std::string("succeeded")));
    EXPECT_THAT(LogOf("killed", victim), HasSubstr(StrCat("run ", run, " attempt 1 starts")));
  }
  for (const std::string& run : kept) {
    EXPECT_THAT(LogOf("killed", victim),
                HasSubstr(StrCat("run ", run, ": its result has arrived, from the spool")));
  }
}

TEST_F(Outage, KeepsTheCheckpointsOfAWorkerThatIsToldToGoInIt) {
  const std::string sweep = Begin("told", 400);
  const int victim = WorkerOfWhich(
      [](int i) { return LogOf("told", i).find(kLongest) != std::string::npos; });
  ASSERT_GE(victim, 0);
  KillCoordinators();
  EXPECT_EQ(workers_[victim]->Terminate(), 0);
  const std::string before = LogOf("told", victim);
  static const std::regex line("run ([0-9]+): (its checkpoint of step|that it is given back)");
  std::map<std::string, bool> left;  // whether with a checkpoint
  bool any = false;
  for (std::sregex_iterator at(before.begin(), before.end(), line), end; at != end; ++at) {
    any |= left[(*at)[1]] = (*at)[2] == "its checkpoint of step";
  }
  EXPECT_TRUE(any) << before;
  workers_[victim] = Worker("told", victim);
  LetFiveLeaseTimesPass([&] { return HasFoundItsSpool("told", victim); });
  StartCoordinators();
  for (const auto& [run, outcomes] : End(sweep)) {
    if (!left.contains(run)) {
      EXPECT_THAT(outcomes, ::testing::ElementsAre("succeeded")) << "run " << run;
      continue;
    }
    EXPECT_THAT(outcomes, ::testing::ElementsAre(HasSubstr("released"), "succeeded"));
    // Once a run is being scored its network has gone.
    if (!left.at(run)) continue;
    std::string resumed;
    for (int i = 0; i < kWorkers; ++i) resumed += LogOf("told", i);
    EXPECT_THAT(resumed, HasSubstr(StrCat("run ", run, " goes on from the checkpoint of step")));
  }
}

}  // namespace
}  // namespace gridsweep::testing

// A worker that is told to go, or killed, leaves a checkpoint; the run goes on from it elsewhere
// and ends with the bytes of one that was never interrupted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "common/strings.h"
#include "tests/end_to_end/instance.h"

namespace gridsweep::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// `steps` gradient steps of one small network; the same for the same number.
std::string SweepOf(int steps, const std::string& interval) {
  return StrCat(
      "name: preempted\nmethod: grid\nparameters:\n"
      "  place_field_values: {value: gaussian}\n  Ng: {value: 64}\n  Np: {value: 16}\n"
      "  batch_size: {value: 8}\n  sequence_length: {value: 5}\n  n_epochs: {value: 1}\n"
      "  n_grad_steps_per_epoch: {value: ",
      steps,
      "}\n  eval_batches: {value: 4}\n  eval_every_n_steps: {value: 500}\n"
      "  chance_units: {value: 0}\ngridsweep:\n  checkpoint_interval: ",
      interval, "\n");
}

class PreemptedWorker : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    instance_ = new Instance(
        {"--lease-ttl", "2s", "--heartbeat-interval", "25ms", "--backoff-base", "200ms"});
  }
  static void TearDownTestSuite() { delete instance_; }

  static std::unique_ptr<Program> Worker(const std::string& name) {
    return instance_->StartWorker(name, 1, instance_->coordinator(), name);
  }
  static std::string Scalar(const std::string& field, const json& run) {
    return run.contains(field)
               ? run.at(field).is_string() ? run.at(field).get<std::string>() : run.at(field).dump()
               : "";
  }
  static json RunOf(const std::string& sweep) {
    const json runs = instance_->Ask({"get", "runs", "--sweep", sweep});
    return runs.is_array() && !runs.empty() ? runs[0] : json();
  }
  static bool AtStep(const std::string& sweep, uint64_t step) {
    const json run = RunOf(sweep);
    const std::string at = run.contains("progress") ? Scalar("step", run.at("progress")) : "";
    return !at.empty() && std::stoull(at) >= step;
  }
  static bool Succeeded(const std::string& sweep) {
    return Scalar("state", RunOf(sweep)) == "RUN_STATE_SUCCEEDED";
  }
  // The hash of the file that an uninterrupted run leaves.
  static std::string WholeRun(int steps) {
    const auto worker = Worker("whole");
    const std::string sweep = instance_->Submit(SweepOf(steps, "720h"));
    EXPECT_TRUE(Within([&] { return Succeeded(sweep); }, std::chrono::minutes(3)));
    EXPECT_EQ(worker->Terminate(), 0);
    return Scalar("artifact_sha256", RunOf(sweep));
  }
  static json AttemptsOf(const std::string& sweep) {
    return instance_->Ask({"describe", "run", Scalar("run_id", RunOf(sweep))}).at("attempts");
  }

  static Instance* instance_;
};
Instance* PreemptedWorker::instance_ = nullptr;

TEST_F(PreemptedWorker, HandsItsRunOverAtTheStepWhereItStopped) {
  constexpr int kSteps = 6000;
  const std::string whole = WholeRun(kSteps);
  ASSERT_FALSE(whole.empty());
  const std::string sweep = instance_->Submit(SweepOf(kSteps, "720h"));
  {
    const auto first = Worker("first");
    ASSERT_TRUE(Within([&] { return AtStep(sweep, 700); }));
    EXPECT_EQ(first->Terminate(), 0);
  }
  const json released = AttemptsOf(sweep);
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].at("outcome"), "released");
  const auto second = Worker("second");
  ASSERT_TRUE(Within([&] { return Succeeded(sweep); }, std::chrono::minutes(3)));
  EXPECT_EQ(Scalar("artifact_sha256", RunOf(sweep)), whole);
  EXPECT_THAT(ReadFile(instance_->LogOf("second")),
              HasSubstr("goes on from the checkpoint of step"));
  const json attempts = AttemptsOf(sweep);
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[1].at("outcome"), "succeeded");
  EXPECT_EQ(Scalar("failures", RunOf(sweep)).find_first_not_of('0'), std::string::npos);
  EXPECT_THAT(instance_->Sweepctl({"verify", sweep}).out, HasSubstr("0 faults"));
  EXPECT_EQ(second->Terminate(), 0);
}

TEST_F(PreemptedWorker, KilledOutrightCostsNoMoreThanAnInterval) {
  constexpr int kSteps = 25000;
  const std::string whole = WholeRun(kSteps);
  const std::string sweep = instance_->Submit(SweepOf(kSteps, "1s"));
  const auto first = Worker("killed");
  const auto saved = [&] {
    return ReadFile(instance_->LogOf("killed")).find("checkpoint of step") != std::string::npos;
  };
  ASSERT_TRUE(Within(saved));
  ASSERT_TRUE(first->Kill());
  const auto second = Worker("heir");
  ASSERT_TRUE(Within([&] { return Succeeded(sweep); }, std::chrono::minutes(3)));
  EXPECT_EQ(Scalar("artifact_sha256", RunOf(sweep)), whole);
  EXPECT_THAT(ReadFile(instance_->LogOf("heir")), HasSubstr("goes on from the checkpoint of step"));
  EXPECT_EQ(second->Terminate(), 0);
}

}  // namespace
}  // namespace gridsweep::testing

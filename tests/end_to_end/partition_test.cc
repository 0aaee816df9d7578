// A worker on a network of its own is cut off for longer than its lease; a grant is lost on the
// wire. Either way there is one result, and whoever comes late notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>

#include "common/strings.h"
#include "tests/end_to_end/dispatch_proxy.h"
#include "tests/end_to_end/instance.h"

namespace gridsweep::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One run of `steps` gradient steps.
std::string SweepOf(int steps) {
  return StrCat(
      "name: partition\nmethod: grid\nparameters:\n"
      "  place_field_values: {value: gaussian}\n  Ng: {value: 64}\n  Np: {value: 16}\n"
      "  batch_size: {value: 8}\n  sequence_length: {value: 5}\n  n_epochs: {value: 1}\n"
      "  n_grad_steps_per_epoch: {value: ",
      steps, "}\n  eval_batches: {value: 4}\n  chance_units: {value: 0}\n");
}

// The id of the only run of `sweep`.
std::string RunOf(const Instance& instance, const std::string& sweep) {
  return instance.Ask({"get", "runs", "--sweep", sweep}).at(0).at("run_id");
}

std::string StateOf(const Instance& instance, const std::string& sweep) {
  return instance.Ask({"get", "runs", "--sweep", sweep}).at(0).at("state");
}

bool Succeeded(const Instance& instance, const std::string& sweep) {
  return StateOf(instance, sweep) == "RUN_STATE_SUCCEEDED";
}

// "WORKER OUTCOME" of each attempt.
std::vector<std::string> Attempts(const Instance& instance, const std::string& sweep) {
  std::vector<std::string> attempts;
  const json run = instance.Ask({"describe", "run", RunOf(instance, sweep)});
  for (const json& attempt : run.at("attempts")) {
    attempts.push_back(StrCat(attempt.at("worker").get<std::string>(), " ",
                              attempt.at("outcome").get<std::string>()));
  }
  return attempts;
}

void ExpectOneResult(const Instance& instance, const std::string& sweep) {
  EXPECT_THAT(instance.Sweepctl({"verify", sweep}).out, HasSubstr("0 faults"));
}

// A network namespace and a cable to it. Its worker finds the coordinator at a unix socket, from
// which a relay inside leads over the cable to one outside: what crosses is TCP between two hosts.
class Island {
 public:
  explicit Island(const Instance& instance) : instance_(instance) {
    Ip({"netns", "add", name_});
    Ip({"link", "add", outside_, "type", "veth", "peer", "name", inside_});
    Ip({"link", "set", inside_, "netns", name_});
    Ip({"addr", "add", StrCat(subnet_, "1/30"), "dev", outside_});
    Ip({"link", "set", outside_, "up"});
    Ip({"-n", name_, "addr", "add", StrCat(subnet_, "2/30"), "dev", inside_});
    Ip({"-n", name_, "link", "set", inside_, "up"});
    outer_ = Relay({}, StrCat(subnet_, "1:7070"), instance.coordinator(), "outer");
    inner_ = Relay({"/usr/bin/env", "ip", "netns", "exec", name_}, instance.Socket("island"),
                   StrCat(subnet_, "1:7070"), "inner");
  }
  ~Island() {
    inner_.reset();
    outer_.reset();
    Ip({"netns", "del", name_});
  }

  // Whether this machine lets us make namespaces and cables.
  static bool Permitted(std::string& why) {
    const std::string probe = StrCat("gsprobe", getpid());
    const Ran made = Run({"/usr/bin/env", "ip", "netns", "add", probe});
    const Ran wired = Run({"/usr/bin/env", "ip", "-n", probe, "link", "add", "gsp0", "type", "veth",
                           "peer", "name", "gsp1"});
    if (made.code == 0) Ip({"netns", "del", probe});
    why = made.err + wired.err;
    return made.code == 0 && wired.code == 0;
  }

  // Where a worker inside finds the coordinator. A unix socket's path is the same in all
  // namespaces: only the cable behind it is not.
  std::string coordinator() const { return instance_.Socket("island"); }
  void Cut() { Ip({"link", "set", outside_, "down"}); }
  void Mend() { Ip({"link", "set", outside_, "up"}); }

 private:
  static void Ip(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/env", "ip"});
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 0) << words[2] << " " << words[3] << ": " << ran.err;
  }
  std::unique_ptr<Program> Relay(std::vector<std::string> words, const std::string& listen,
                                 const std::string& target, const std::string& log) const {
    words.insert(words.end(), {GRIDSWEEP_RELAY, listen, target});
    auto relay = std::make_unique<Program>(words, instance_.LogOf(log));
    EXPECT_TRUE(Within(
        [&] { return ReadFile(instance_.LogOf(log)).find("listening") != std::string::npos; }));
    return relay;
  }

  const Instance& instance_;
  const std::string name_ = StrCat("gridsweep", getpid());
  const std::string outside_ = StrCat("gso", getpid()), inside_ = StrCat("gsi", getpid());
  // Of the range for documentation and tests; one of 250 a process.
  const std::string subnet_ = StrCat("198.18.", getpid() % 250, ".");
  std::unique_ptr<Program> outer_, inner_;
};

TEST(CutOffWorker, ComesBackToFindItsRunDoneAndIsRefused) {
  std::string why;
  if (!Island::Permitted(why)) {
    GTEST_SKIP() << "NOT TESTED: this machine permits no network namespaces: " << why;
  }
  const Instance instance({"--lease-ttl", "2s", "--heartbeat-interval", "500ms"});
  Island island(instance);
  const auto far = instance.StartWorker("far", 2, island.coordinator(), "far");
  const auto log = [&] { return ReadFile(instance.LogOf("far")); };
  const auto said = [&](const std::string& what) {
    return Within([&] { return log().find(what) != std::string::npos; }, std::chrono::minutes(2));
  };
  // One run ends while its worker is cut off, the other is in training when it comes back.
  const std::string early = instance.Submit(SweepOf(20'000));
  const std::string late = instance.Submit(SweepOf(10'000'000));
  const std::string early_run = RunOf(instance, early), late_run = RunOf(instance, late);
  ASSERT_TRUE(said(StrCat("run ", early_run, " attempt 1 starts")));
  ASSERT_TRUE(said(StrCat("run ", late_run, " attempt 1 starts")));
  island.Cut();

  const auto near = instance.StartWorker("near", 2, instance.coordinator(), "near");
  ASSERT_TRUE(Within([&] { return Succeeded(instance, early); }, std::chrono::minutes(2)));
  ASSERT_TRUE(said(StrCat("run ", early_run, ": no coordinator takes its result")));
  island.Mend();

  // Its heartbeat hears of it, or its delivery does.
  EXPECT_TRUE(said("its lease has ended meanwhile; its result is dropped"));
  EXPECT_TRUE(said(StrCat("run ", late_run, " dropped at step ")));
  EXPECT_THAT(Attempts(instance, early), ElementsAre("far lost", "near succeeded"));
  ExpectOneResult(instance, early);
  EXPECT_EQ(StateOf(instance, late), "RUN_STATE_LEASED");
  EXPECT_EQ(instance.Sweepctl({"cancel", late, "--yes"}).code, 0);
  EXPECT_EQ(near->Terminate(), 0);

  // The one that was cut off works on.
  const std::string next = instance.Submit(SweepOf(100));
  EXPECT_TRUE(Within([&] { return Succeeded(instance, next); }, std::chrono::minutes(2)));
  EXPECT_THAT(Attempts(instance, next), ElementsAre("far succeeded"));
  ExpectOneResult(instance, next);
  EXPECT_EQ(far->Terminate(), 0);
}

TEST(LostGrant, StartsElsewhereWithinTwoHeartbeats) {
  // So long that no lease ends for its time.
  const Instance instance({"--lease-ttl", "10m", "--heartbeat-interval", "250ms"});
  std::atomic<bool> lost = false, heard_again = false;
  std::atomic<int> beats_since = 0, beats_until_next_grant = -1;
  DispatchHooks deaf_hooks;
  deaf_hooks.granted = [&](const v1::LeaseRunsResponse& response) {
    if (response.leases().empty() || lost) return true;
    lost = true;
    return false;  // what the coordinator has answered goes no further
  };
  // Nor does the repeated question, which would be answered with the same grant.
  deaf_hooks.asking = [&] {
    if (lost) Within([&] { return heard_again.load(); }, std::chrono::minutes(2));
  };
  deaf_hooks.beating = [&](const v1::HeartbeatRequest& request) {
    EXPECT_TRUE(request.held().empty() || heard_again);
    if (lost) ++beats_since;
    return true;
  };
  DispatchProxy deaf_proxy(instance.coordinator(), instance.Socket("deaf"), deaf_hooks);
  // Is there from the start, and asks once the grant is lost: no beat goes by for its sake.
  std::atomic<bool> other_asks = false;
  DispatchHooks other_hooks;
  other_hooks.asking = [&] {
    other_asks = true;
    Within([&] { return lost.load(); }, std::chrono::minutes(2));
  };
  other_hooks.granted = [&](const v1::LeaseRunsResponse& response) {
    if (!response.leases().empty()) beats_until_next_grant = beats_since.load();
    return true;
  };
  DispatchProxy other_proxy(instance.coordinator(), instance.Socket("other"), other_hooks);

  const auto other = instance.StartWorker("other", 1, instance.Socket("other"), "other");
  ASSERT_TRUE(Within([&] { return other_asks.load(); }));
  const auto deaf = instance.StartWorker("deaf", 1, instance.Socket("deaf"), "deaf");
  const std::string sweep = instance.Submit(SweepOf(100));
  ASSERT_TRUE(Within([&] { return Succeeded(instance, sweep); }, std::chrono::minutes(2)));
  EXPECT_THAT(Attempts(instance, sweep), ElementsAre("deaf released", "other succeeded"));
  // A third may be on its way when the second has had its effect.
  EXPECT_LE(beats_until_next_grant, 3);
  ExpectOneResult(instance, sweep);
  heard_again = true;
  EXPECT_EQ(other->Terminate(), 0);
  EXPECT_EQ(deaf->Terminate(), 0);
}

}  // namespace
}  // namespace gridsweep::testing

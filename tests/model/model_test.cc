// The lease's state machine under a million interleaved transactions and more, and that the checks
// can fail. One world again:
//   model_test --seed N --steps M
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "common/strings.h"
#include "tests/model/world.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kWorlds = 600;
constexpr int64_t kSteps = 5000;  // of a world, at least

std::string Tell(const WorldOptions& options, const WorldReport& report) {
  std::string text = StrCat("model_test --seed ", options.seed, " --steps ", options.operations,
                            " (after ", report.total, " transactions)\n", report.last);
  for (const std::string& fault : report.faults) text += fault + "\n";
  return text;
}

TEST(Model, KeepsItsInvariantsInAMillionInterleavings) {
  WorldReport sum;
  for (uint64_t seed = 1; seed <= kWorlds; ++seed) {
    const WorldOptions options{seed, kSteps};
    const WorldReport report = RunWorld(options);
    ASSERT_TRUE(report.faults.empty()) << Tell(options, report);
    for (size_t i = 0; i < sum.operations.size(); ++i) sum.operations[i] += report.operations[i];
    sum.total += report.total;
    sum.changes += report.changes;
    sum.held += report.held;
    sum.rolled_back += report.rolled_back;
    sum.outages += report.outages;
    sum.deaths += report.deaths;
  }
  std::cout << sum.total << " transactions in " << kWorlds << " worlds, " << sum.changes
            << " of them changed a run, " << sum.held << " were open while others went on, "
            << sum.rolled_back << " rolled back, " << sum.outages << " outages, " << sum.deaths
            << " deaths:";
  for (int i = 0; i < kOperations; ++i) {
    std::cout << " " << NameOf(static_cast<Operation>(i)) << " "
              << sum.operations[static_cast<size_t>(i)];
  }
  std::cout << "\n";
  EXPECT_GE(sum.changes, 1'000'000);
  for (int i = 0; i < kOperations; ++i) {
    EXPECT_GT(sum.operations[static_cast<size_t>(i)], 100) << NameOf(static_cast<Operation>(i));
  }
}

TEST(Model, TheSameSeedGivesTheSameWorld) {
  const WorldReport first = RunWorld({7, 2000}), second = RunWorld({7, 2000});
  EXPECT_EQ(first.total, second.total);
  EXPECT_EQ(first.operations, second.operations);
  EXPECT_EQ(first.held, second.held);
  EXPECT_NE(first.operations, RunWorld({8, 2000}).operations);
}

struct Mutant {
  const char* name;
  Mutation mutation;
  const char* found;  // in one of the faults
};

class Mutants : public ::testing::TestWithParam<Mutant> {};

TEST_P(Mutants, AreCaught) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const WorldReport report = RunWorld({seed, kSteps, GetParam().mutation});
    if (report.faults.empty()) continue;
    std::string all;
    for (const std::string& fault : report.faults) all += fault + "\n";
    EXPECT_NE(all.find(GetParam().found), std::string::npos) << all << report.last;
    EXPECT_FALSE(report.last.empty());
    return;
  }
  FAIL() << "forty worlds did not notice";
}

INSTANTIATE_TEST_SUITE_P(
    Model, Mutants,
    ::testing::Values(
        Mutant{"NoFenceOnComplete", Mutation::kCompleteWithoutFence, "without the token"},
        Mutant{"AReleaseIsAFailure", Mutation::kReleaseIsAFailure, "costs 1 failures"},
        Mutant{"AVanishedMachineIsAFailure", Mutation::kVanishedMachineIsAFailure, "no failure"},
        Mutant{"OneFailureTooMany", Mutation::kOneFailureTooMany, "should have failed"},
        Mutant{"TheLimitIsNotLocked", Mutation::kLimitWithoutLock, "leases, limit"},
        Mutant{"QuarantineKeepsFailures", Mutation::kQuarantineKeepsFailures, "quarantine"},
        Mutant{"RetryKeepsTheResult", Mutation::kRetryKeepsResult, "finished without a result"},
        Mutant{"DivergedIsRetriedByItself", Mutation::kDivergedIsRetried, "due, run"},
        Mutant{"CancelForgetsThePaused", Mutation::kCancelForgetsThePaused, "sweep is stopped"},
        Mutant{"ClaimsOfLockedRows", Mutation::kClaimOfLockedRows, "state 3 to 3"},
        Mutant{"AFloorWithoutRescan", Mutation::kFloorWithoutRescan, "was not seen"},
        Mutant{"ExpiryDuringAnOutage", Mutation::kExpiryDuringOutage, "heartbeat could"},
        Mutant{"ASuspensionIsNoOutage", Mutation::kSuspensionIsNoOutage, "heartbeat could"},
        Mutant{"AJumpOfTheClockIsNoOutage", Mutation::kClockJumpIsNoOutage,
               "an outage has cost it"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace gridsweep::coordinator

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gridsweep::coordinator::WorldOptions options;
  bool one = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--seed") options.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--steps") options.operations = std::strtoll(argv[i + 1], nullptr, 10);
    one = true;
  }
  if (!one) return RUN_ALL_TESTS();
  const auto report = gridsweep::coordinator::RunWorld(options);
  std::cout << report.total << " transactions\n" << report.last;
  for (const std::string& fault : report.faults) std::cout << fault << "\n";
  return report.faults.empty() ? 0 : 1;
}

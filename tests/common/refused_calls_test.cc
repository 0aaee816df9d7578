#include "common/refused_calls.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/log.h"

namespace gridsweep {
namespace {

TEST(RefusedCalls, AreAllCountedAndToldAtABoundedRate) {
  Metrics metrics("test", "1");
  RefusedCalls refused(metrics, /*every=*/absl::Hours(1), /*burst=*/3);
  InitLogging("refusing");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) refused.Add(RefusedFor::kRole, "/a/B", "eve");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3) << log;
  EXPECT_NE(log.find("audit: /a/B by eve refused: role\n"), std::string::npos) << log;
  EXPECT_NE(metrics.Text().find("gridsweep_refused_calls_total{reason=\"role\"} 1000\n"),
            std::string::npos);
}

TEST(RefusedCalls, TheNextLineSaysHowManyWereLeftOut) {
  Metrics metrics("test", "1");
  RefusedCalls refused(metrics, /*every=*/absl::Milliseconds(200), /*burst=*/1);
  InitLogging("refusing again");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) refused.Add(RefusedFor::kNoToken, "/a/B", "");
  absl::SleepFor(absl::Milliseconds(300));
  refused.Add(RefusedFor::kUnknownMethod, "/a\nb" + std::string(5000, 'x'), "");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_NE(log.find("/a\\nbxx"), std::string::npos) << log;
  EXPECT_NE(log.find("refused: unknown_method (and 4 more calls before it)\n"), std::string::npos)
      << log;
  EXPECT_LT(log.size(), 1000u);
}

}  // namespace
}  // namespace gridsweep

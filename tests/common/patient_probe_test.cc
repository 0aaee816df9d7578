#include "common/patient_probe.h"

#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

namespace gridsweep {
namespace {

template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

constexpr PatientProbe::Settings kQuick{absl::Milliseconds(5), absl::Milliseconds(200)};

TEST(PatientProbe, TellsWhatTheLastCallAnswered) {
  const auto up = std::make_shared<std::atomic<bool>>(true);
  PatientProbe probe(kQuick, "the disk", [up] {
    return *up ? absl::OkStatus() : absl::UnavailableError("Read-only file system");
  });
  ASSERT_TRUE(Eventually([&] { return probe.Last().ok(); }));
  *up = false;
  ASSERT_TRUE(Eventually([&] { return !probe.Last().ok(); }));
  EXPECT_EQ(probe.Last(), absl::UnavailableError("Read-only file system"));
  *up = true;
  EXPECT_TRUE(Eventually([&] { return probe.Last().ok(); }));
}

TEST(PatientProbe, HangsWithNothing) {
  const auto hanging = std::make_shared<std::atomic<bool>>(false);
  const auto release = std::make_shared<std::atomic<bool>>(false);
  {
    PatientProbe probe(kQuick, "the disk", [hanging, release] {
      while (*hanging && !*release) absl::SleepFor(absl::Milliseconds(1));
      return absl::OkStatus();
    });
    ASSERT_TRUE(Eventually([&] { return probe.Last().ok(); }));
    *hanging = true;
    ASSERT_TRUE(Eventually([&] { return !probe.Last().ok(); }));
    EXPECT_EQ(probe.Last().message().substr(0, 29), "the disk does not answer for ");
    const absl::Time start = absl::Now();
    EXPECT_FALSE(probe.Last().ok());
    EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  }  // nor does its end
  *release = true;
}

}  // namespace
}  // namespace gridsweep

#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

using LargeSweep = StoreTest;

TEST_F(LargeSweep, AHundredThousandRunsAreStoredInSeconds) {
  const auto sweep = SmallSweep(100'000);
  const auto start = absl::Now();
  EXPECT_EQ(Create(sweep).counts().pending(), 100'000);
  const auto took = absl::Now() - start;
  RecordProperty("seconds", absl::StrCat(absl::ToDoubleSeconds(took)));
  EXPECT_LT(took, absl::Seconds(60));
}

}  // namespace
}  // namespace gridsweep::coordinator

// Background work that the database ends for time.
#include "coordinator/background.h"

#include "coordinator/piece_size.h"
#include "science/config/run_config.h"
#include "tests/coordinator/fixture.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::coordinator {
namespace {

class BackgroundWork : public StoreTest {
 protected:
  BackgroundWork() : counters_(metrics_) {}

  Metrics metrics_{"coordinator", "test"};
  Counters counters_;
};

TEST_F(BackgroundWork, APieceIsHalvedUntilItFitsAndGrowsAgain) {
  prometheus::Counter& timeouts = counters_.BackgroundTimeouts("test");
  PieceSize size("testing", 64, timeouts);
  Database hasty({conninfo_, absl::Milliseconds(200)});
  // Takes 20 ms for each.
  const auto piece = [&](int n) {
    return hasty.Transact([&](Transaction& t) {
      t.ExecText(StrCat("select pg_sleep(0.02 * ", n, ")"));
      return absl::OkStatus();
    });
  };
  int tries = 0;
  while (!size.Do(piece).ok()) ASSERT_LT(++tries, 20);
  EXPECT_LE(size.size(), 8);
  EXPECT_GE(tries, 3);
  EXPECT_EQ(timeouts.Value(), tries);
  const int fits = size.size();
  for (int i = 0; i < 64; ++i) (void)size.Do([](int) { return absl::OkStatus(); });
  EXPECT_EQ(size.size(), 2 * fits);
  (void)size.Do([](int) { return absl::UnavailableError("the database is away"); });
  EXPECT_EQ(size.size(), 2 * fits) << "that is no question of size";
}

// Once the same piece was tried, and ended, for ever, and nobody heard of it.
TEST_F(BackgroundWork, ResultsAreReusedHoweverSlowTheDatabaseIs) {
  Create(SmallSweep(64));
  for (const Grant& grant : Claim(Register("w"), 64)) {
    Completion completion = ResultOf(grant.key);
    completion.header.set_science_version(science::kScienceVersion);
    ASSERT_TRUE(CompleteRun(db_, completion).ok());
  }
  auto sweep = SmallSweep(64);
  sweep.settings.set_reuse(true);
  const int64_t id = CreateSweep(db_, {sweep.name, "", "h", "text", &sweep})->sweep.sweep_id();
  const absl::Status slow = db_.Transact([](Transaction& t) {
    t.ExecText(
        "create function slow() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(0.02); return new; end $$;"
        "create trigger slow before insert on run_results for each row execute function slow()");
    return absl::OkStatus();
  });
  ASSERT_TRUE(slow.ok()) << slow;
  const testing::TemporaryDirectory directory;
  const auto artifacts = OpenArtifactDirectory(directory / "artifacts", "instance", true);
  ASSERT_TRUE(artifacts.ok()) << artifacts.status();
  {
    ProgressBoard board;
    Background background({.database = {conninfo_, absl::Milliseconds(400)},
                           .lease_ttl = absl::Seconds(60),
                           .failures = {},
                           .tick = absl::Milliseconds(10)},
                          board, **artifacts, counters_, [](const NewWork&) {});
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    const std::string left =
        StrCat("select count(*) from run_state where state <> 4 and sweep_id = ", id);
    while (Count(left) > 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
    EXPECT_EQ(Count(left), 0);
  }
  EXPECT_GE(counters_.BackgroundTimeouts("reuse").Value(), 2);
}

}  // namespace
}  // namespace gridsweep::coordinator

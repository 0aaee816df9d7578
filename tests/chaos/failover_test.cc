// The primary PostgreSQL dies in the middle of a sweep, and its standby takes its place.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <sstream>

#include "common/strings.h"
#include "tests/chaos/fleet.h"

namespace gridsweep::testing {
namespace {

constexpr int kRuns = 400;

class Failover : public ::testing::Test {
 protected:
  Failover() {
    primary_.Start();
    database_ = primary_.CreateDatabase();
    standby_ = std::make_unique<PostgresServer>(primary_, "standby");
    standby_->Start();
    EXPECT_TRUE(Within([&] {
      return primary_.Ask("select count(*) from pg_stat_replication where state = 'streaming'") ==
             "1";
    }));
  }

  // On both servers, whichever takes writes.
  void StartFleet() {
    fleet_ = std::make_unique<Fleet>();
    fleet_->Start(StrCat("host=", primary_.host(), ",", standby_->host(),
                         " user=gridsweep dbname=", database_, " target_session_attrs=read-write"),
                  kRuns);
  }

  // Each result by its run and token.
  std::set<std::string> Results(const PostgresServer& server) const {
    std::istringstream rows(
        server.Ask("select run_id || ' ' || token from run_results", database_));
    std::set<std::string> results;
    for (std::string row; std::getline(rows, row);) results.insert(row);
    return results;
  }
  bool HasResults(size_t n) const {
    return Within([&] { return Results(primary_).size() >= n; });
  }

  // The sweep ends well on the standby; how many of `before` are not there.
  int LostOf(const std::set<std::string>& before) const {
    fleet_->ExpectGoodEnd(*standby_, database_);
    const std::set<std::string> after = Results(*standby_);
    int lost = 0;
    for (const std::string& result : before) lost += !after.contains(result);
    return lost;
  }

  PostgresServer primary_;
  std::unique_ptr<PostgresServer> standby_;
  std::string database_;
  std::unique_ptr<Fleet> fleet_;  // ends before the servers
};

TEST_F(Failover, ToASynchronousStandbyLosesNoResult) {
  primary_.Ask("alter system set synchronous_standby_names = 'standby'");
  primary_.Ask("select pg_reload_conf()");
  ASSERT_TRUE(
      Within([&] { return primary_.Ask("select sync_state from pg_stat_replication") == "sync"; }));
  StartFleet();
  ASSERT_TRUE(HasResults(kRuns / 4));
  const std::set<std::string> before = Results(primary_);
  primary_.Crash();
  ASSERT_LT(before.size(), size_t{kRuns});
  standby_->Promote();
  EXPECT_EQ(LostOf(before), 0);
}

TEST_F(Failover, ToAnAsynchronousStandbyDoesAgainWhatItHadNotHeardOf) {
  StartFleet();
  ASSERT_TRUE(HasResults(kRuns / 8));
  // It hears of nothing that ends from here on.
  standby_->Stop(PostgresServer::Mode::kFast);
  ASSERT_TRUE(HasResults(Results(primary_).size() + kRuns / 8));
  const std::set<std::string> before = Results(primary_);
  primary_.Crash();
  ASSERT_LT(before.size(), size_t{kRuns});
  standby_->Start();
  standby_->Promote();
  EXPECT_GT(LostOf(before), 0);
}

}  // namespace
}  // namespace gridsweep::testing

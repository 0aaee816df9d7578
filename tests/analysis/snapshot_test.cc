// A question is answered from one snapshot, and changes nothing.
#include "analysis/queries/database.h"

#include <gtest/gtest.h>

#include "db/libpqxx.h"
#include "tests/support/postgres.h"

namespace gridsweep::analysis {
namespace {

TEST(SnapshotTest, SeesNothingThatIsCommittedAfterItsFirstStatement) {
  const std::string conninfo = testing::CreateDatabase();
  const auto writer = db::Connect(conninfo);
  const auto write = [&](const std::string& sql) {
    pqxx::work work(*writer);
    work.exec(sql);
    work.commit();
  };
  write("create table t (a int)");
  Database database({conninfo}, 1);
  const auto count = [](Snapshot& s) { return AsInt(s.Exec("select count(*) from t")[0][0]); };
  for (int before = 0; before < 2; ++before) {  // the connection's second transaction, too
    const absl::Status status = database.Read(0, [&](Snapshot& snapshot) {
      EXPECT_EQ(count(snapshot), before);
      write("insert into t values (1)");
      EXPECT_EQ(count(snapshot), before);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST(SnapshotTest, CannotWrite) {
  const std::string conninfo = testing::CreateDatabase();
  Database database({conninfo}, 1);
  const absl::Status status = database.Read(0, [](Snapshot& snapshot) {
    snapshot.Exec("create table t (a int)");
    return absl::OkStatus();
  });
  EXPECT_NE(std::string(status.message()).find("25006"), std::string::npos) << status;
}

}  // namespace
}  // namespace gridsweep::analysis

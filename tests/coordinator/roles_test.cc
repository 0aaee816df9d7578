// What the database's roles may and may not do, tried with logins of their own.
#include "coordinator/store/roles.h"

#include <thread>

#include "tests/coordinator/fixture.h"

namespace gridsweep::coordinator {
namespace {

class Roles : public StoreTest {
 protected:
  Roles() {
    const absl::Status granted = GrantRoles(db_);
    EXPECT_TRUE(granted.ok()) << granted;
  }
  // The connection of a new login; `options` as of CREATE ROLE.
  Database As(const std::string& login, const std::string& options) {
    Execute(StrCat("drop role if exists ", login, "; create role ", login, " login ", options));
    return Database({Connection(login, conninfo_)});
  }
  static std::string Connection(const std::string& login, std::string conninfo) {
    const std::string owner = "user=gridsweep ";
    return conninfo.replace(conninfo.find(owner), owner.size(), StrCat("user=", login, " "));
  }
  static absl::Status Try(Database& database, const std::string& sql) {
    return database.Transact([&](Transaction& t) {
      t.ExecText(sql);
      return absl::OkStatus();
    });
  }
  void Execute(const std::string& sql) {
    const absl::Status status = Try(db_, sql);
    EXPECT_TRUE(status.ok()) << sql << ": " << status;
  }
  static bool Denied(const absl::Status& status) {
    return status.message().find("permission denied") != absl::string_view::npos ||
           status.message().find("must be owner") != absl::string_view::npos;
  }
  // Renames a role away, as if it had never been made; undone with `back`.
  void SetAside(const std::string& role, bool back = false) {
    const std::string aside = StrCat(role, "_of_", Query("select current_database()"));
    Execute(StrCat("alter role ", back ? aside : role, " rename to ", back ? role : aside));
  }
  std::vector<std::string> Tables() {
    std::vector<std::string> tables;
    const auto listed = db_.Transact([&](Transaction& t) -> absl::Status {
      for (const auto& row : t.ExecText("select tablename from pg_tables "
                                        "where schemaname = 'public'")) {
        tables.push_back(row[0].c_str());
      }
      return absl::OkStatus();
    });
    EXPECT_TRUE(listed.ok()) << listed;
    EXPECT_GE(tables.size(), 15u);
    return tables;
  }
};

TEST_F(Roles, AnalysisReadsEveryTableAndWritesNone) {
  Create(SmallSweep(2));
  Database analysis = As("an_analyst", "in role gridsweep_analysis");
  for (const std::string& table : Tables()) {
    if (table.rfind("units_", 0) != 0) {  // partitions are read through their table
      EXPECT_TRUE(Try(analysis, "select count(*) from " + table).ok()) << table;
    }
    EXPECT_TRUE(Denied(Try(analysis, "delete from " + table))) << table;
    EXPECT_TRUE(Denied(Try(analysis, "insert into " + table + " default values"))) << table;
    EXPECT_TRUE(Denied(Try(analysis, "truncate " + table))) << table;
    EXPECT_TRUE(Denied(Try(analysis, "drop table " + table))) << table;
  }
  EXPECT_TRUE(Denied(Try(analysis, "create table mine (x int)")));
  EXPECT_TRUE(Denied(Try(analysis, "select nextval('queue_pos_seq')")));
}

TEST_F(Roles, DashReadsTheViewsOfItsSchemaAndNothingElse) {
  Create(SmallSweep(2));
  Database dash = As("a_dashboard", "in role gridsweep_dash");
  for (const char* view : {"dash.sweeps", "dash.runs", "dash.fractions"}) {
    const absl::Status read = Try(dash, StrCat("select * from ", view));
    EXPECT_TRUE(read.ok()) << view << ": " << read;
    EXPECT_FALSE(Try(dash, StrCat("delete from ", view)).ok()) << view;
  }
  for (const std::string& table : Tables()) {
    EXPECT_TRUE(Denied(Try(dash, "select count(*) from public." + table))) << table;
  }
  EXPECT_TRUE(Denied(Try(dash, "create table mine (x int)")));
  EXPECT_EQ(Query("select array_to_string(rolconfig, ' ') from pg_roles "
                  "where rolname = 'gridsweep_dash'"),
            "statement_timeout=30s idle_in_transaction_session_timeout=10s jit=off");
}

TEST_F(Roles, TablesThatComeLaterAreGrantedToo) {
  Execute("create table later (x int)");
  Database analysis = As("a_late_analyst", "in role gridsweep_analysis");
  EXPECT_TRUE(Denied(Try(analysis, "select * from later")));
  ASSERT_TRUE(GrantRoles(db_).ok());
  EXPECT_TRUE(Try(analysis, "select * from later").ok());
}

TEST_F(Roles, CoordinatorsWhoShareTheirGroupShareTheSchema) {
  Execute("drop schema public cascade; drop schema dash cascade; create schema public");
  Execute(StrCat("alter database ", Query("select current_database()"),
                 " owner to gridsweep_coordinator; alter schema public owner to "
                 "gridsweep_coordinator"));
  for (const char* login : {"a_coordinator", "b_coordinator"}) {
    Database coordinator = As(login, "in role gridsweep_coordinator");
    Execute(StrCat("alter role ", login, " set role gridsweep_coordinator"));
    EXPECT_TRUE(Migrate(coordinator, EmbeddedMigrations()).ok()) << login;
    EXPECT_TRUE(GrantRoles(coordinator).ok()) << login;
    // Makes and drops partitions of a table that the other made.
    const auto sweep = SmallSweep(1);
    EXPECT_TRUE(CreateSweep(coordinator, {login, "", "h", "text", &sweep}).ok()) << login;
    EXPECT_TRUE(Denied(Try(coordinator, "create role another"))) << login;
  }
  Database analysis = As("their_analyst", "in role gridsweep_analysis");
  EXPECT_TRUE(Try(analysis, "select * from runs").ok());
}

TEST_F(Roles, WhoMayOnlyReadHoldsUpNoCoordinator) {
  As("a_holder", "in role gridsweep_dash");
  As("a_holding_analyst", "in role gridsweep_analysis");
  pqxx::connection dashboard(Connection("a_holder", conninfo_));
  pqxx::connection analyst(Connection("a_holding_analyst", conninfo_));
  pqxx::work of_dashboard(dashboard), of_analyst(analyst);
  // Any login may take every advisory lock, and those of 0.1.0 were (7341, 1) to (7341, 3).
  of_dashboard.exec("select pg_advisory_lock(7341, k) from generate_series(0, 9) k");
  // The strongest locks that they may have of what they may read.
  of_dashboard.exec("lock table dash.sweeps, dash.runs in access share mode");
  for (const std::string& table : Tables()) {
    if (table.rfind("units_", 0) != 0) {
      of_analyst.exec("lock table " + table + " in access share mode");
    }
  }
  const auto sweep = SmallSweep(2);
  EXPECT_TRUE(CreateSweep(db_, {"a", "", "h", "text", &sweep}).ok());
  EXPECT_TRUE(GrantRoles(db_).ok());
  EXPECT_TRUE(Migrate(db_, EmbeddedMigrations()).ok());

  Database other_dashboard({Connection("a_holder", conninfo_)});
  Database other_analyst({Connection("a_holding_analyst", conninfo_)});
  for (const char* lock : {"select from instance for key share", "select from sweeps for share",
                           "lock table schema_migrations in row share mode",
                           "lock table sweeps in share mode"}) {
    EXPECT_TRUE(Denied(Try(other_analyst, lock))) << lock;
    EXPECT_TRUE(Denied(Try(other_dashboard, lock))) << lock;
  }
  for (const char* lock : {"select from dash.sweeps for key share",
                           "lock table dash.sweeps in row share mode"}) {
    EXPECT_TRUE(Denied(Try(other_dashboard, lock))) << lock;
  }
}

TEST_F(Roles, ALoginThatMayNotCreateRolesStillStartsACoordinator) {
  // As on a server where no administrator has run roles.sql.
  SetAside("gridsweep_analysis");
  SetAside("gridsweep_dash");
  Execute("drop schema public cascade; drop schema dash cascade; create schema public");
  As("a_plain_owner", "");
  Execute(StrCat("alter database ", Query("select current_database()"),
                 " owner to a_plain_owner; alter schema public owner to a_plain_owner"));
  Database owner({Connection("a_plain_owner", conninfo_)});
  EXPECT_TRUE(Migrate(owner, EmbeddedMigrations()).ok());
  EXPECT_TRUE(GrantRoles(owner).ok());
  EXPECT_EQ(Query("select count(*) from pg_roles where rolname = 'gridsweep_dash'"), "0");
  SetAside("gridsweep_analysis", /*back=*/true);
  SetAside("gridsweep_dash", /*back=*/true);
  // And grants what it owns once the roles are there.
  EXPECT_TRUE(GrantRoles(owner).ok());
  Database dash = As("another_dashboard", "in role gridsweep_dash");
  EXPECT_TRUE(Try(dash, "select * from dash.runs").ok());
}

TEST_F(Roles, CoordinatorsOfSeveralDatabasesMayMakeThemAtOnce) {
  std::vector<std::string> databases;
  for (int i = 0; i < 4; ++i) databases.push_back(testing::CreateDatabase());
  for (const char* role : {"gridsweep_coordinator", "gridsweep_analysis", "gridsweep_dash"}) {
    SetAside(role);
  }
  std::vector<absl::Status> results(2 * databases.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      Database database({databases[i / 2]});
      results[i] = Migrate(database, EmbeddedMigrations());
      if (results[i].ok()) results[i] = GrantRoles(database);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_TRUE(result.ok()) << result;
  EXPECT_EQ(Query("select count(*) from pg_roles where rolname in "
                  "('gridsweep_coordinator', 'gridsweep_analysis', 'gridsweep_dash')"),
            "3");
}

TEST_F(Roles, ADatabaseWhoseFirstMigrationMadeTheRoleOfDashboardsIsStillGood) {
  Execute(
      "update schema_migrations set checksum = decode("
      "'39f1aafe4e62ae35c29d289486c1389f524f5b731295013cc48dd3437968b7e7', 'hex') "
      "where version = 1");
  EXPECT_TRUE(Migrate(db_, EmbeddedMigrations()).ok());
  Execute(
      "update schema_migrations set checksum = decode("
      "'39f1aafe4e62ae35c29d289486c1389f524f5b731295013cc48dd3437968b7e7', 'hex') "
      "where version = 2");
  EXPECT_TRUE(absl::IsFailedPrecondition(Migrate(db_, EmbeddedMigrations())));
}

}  // namespace
}  // namespace gridsweep::coordinator

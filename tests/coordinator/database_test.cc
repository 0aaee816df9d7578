// Which of the database's troubles pass.
#include "coordinator/store/database.h"

#include <gtest/gtest.h>

#include "common/strings.h"
#include "tests/support/postgres.h"

namespace gridsweep::coordinator {
namespace {

absl::Status Raise(Database& database, const std::string& state) {
  return database.Transact([&](Transaction& t) {
    t.ExecText(StrCat("do $$ begin raise exception 'trouble' using errcode = '", state,
                      "'; end $$"));
    return absl::OkStatus();
  });
}

TEST(DatabaseErrors, WhatTheServerCannotHelpIsUnavailable) {
  Database database({testing::CreateDatabase()});
  for (const char* passing : {"25006", "53100", "53200", "53300", "55P03", "57014", "57P01",
                              "57P03", "58000", "58030"}) {
    EXPECT_TRUE(absl::IsUnavailable(Raise(database, passing))) << passing;
  }
  for (const char* ours : {"22003", "23505", "42601", "P0001"}) {
    EXPECT_TRUE(absl::IsInternal(Raise(database, ours))) << ours;
  }
}

TEST(DatabaseErrors, AServerThatTakesNoWritesIsLeftForOneThatDoes) {
  const std::string conninfo = testing::CreateDatabase();
  Database database({conninfo});
  const auto write = [&] {
    return database.Transact([](Transaction& t) {
      t.ExecText("create table if not exists written (n int)");
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(write().ok());
  const auto set = [&](const char* value) {
    return database.Transact([&](Transaction& t) {
      t.ExecText(StrCat("do $$ begin execute format('alter database %I set "
                        "default_transaction_read_only = ",
                        value, "', current_database()); end $$"));
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(set("on").ok());
  database.Drop();
  const absl::Status standby = write();
  EXPECT_TRUE(absl::IsUnavailable(standby)) << standby;
  // As a failover: other connections find a server that takes writes.
  Database other({conninfo});
  ASSERT_TRUE(other
                  .Transact([](Transaction& t) {
                    t.ExecText("set transaction read write");
                    t.ExecText("do $$ begin execute format('alter database %I reset "
                               "default_transaction_read_only', current_database()); end $$");
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_TRUE(write().ok());
}

}  // namespace
}  // namespace gridsweep::coordinator

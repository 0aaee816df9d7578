#include "coordinator/store/migrations.h"

#include <map>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

// Held to the end of the transaction. Who may only read the table cannot hold it up.
constexpr Statement kLock{"lock_schema_migrations",
                          "lock table schema_migrations in exclusive mode"};
constexpr Statement kListApplied{"list_applied_migrations",
                                 "select version, checksum from schema_migrations"};
constexpr Statement kRecord{
    "record_migration",
    "insert into schema_migrations (version, name, checksum) values ($1, $2, $3::bytea)"};

// 0001 when it still made the role of dashboards, which roles.sql does now: its
// tables and views are the same.
constexpr char kFirstWithRole[] =
    "39f1aafe4e62ae35c29d289486c1389f524f5b731295013cc48dd3437968b7e7";

// In a transaction of its own: what another program makes at the same time is waited for, and is
// there when the transaction runs again.
absl::Status MakeTable(Database& database) {
  return database.Transact([](Transaction& t) -> absl::Status {
    try {
      t.ExecText(
          "create table if not exists schema_migrations (version int primary key, name text not "
          "null, checksum bytea not null, applied_at timestamptz not null default "
          "clock_timestamp())");
    } catch (const pqxx::unique_violation& e) {
      throw pqxx::transaction_rollback(e.what());
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status Migrate(Database& database, std::span<const Migration> migrations) {
  RETURN_IF_ERROR(MakeTable(database));
  return database.Transact([&](Transaction& t) -> absl::Status {
    t.ExecText("set local lock_timeout = 0; set local statement_timeout = 0");
    t.Exec(kLock);
    std::map<int, std::string> applied;
    for (const auto& row : t.Exec(kListApplied)) applied[row[0].as<int>()] = FromBytea(row[1]);
    for (const Migration& migration : migrations) {
      const std::string checksum = Sha256::Of(migration.sql);
      const auto found = applied.find(migration.version);
      if (found == applied.end()) {
        t.ExecText(std::string(migration.sql));
        t.Exec(kRecord, {migration.version, std::string(migration.name), Bytea(checksum)});
      } else if (found->second != checksum &&
                 !(migration.version == 1 && ToHex(found->second) == kFirstWithRole)) {
        return absl::FailedPreconditionError(
            StrCat("migration ", migration.name,
                   " has changed since it was applied to this database; migrations are forward "
                   "only: add a new one, or use a new database"));
      }
    }
    if (!applied.empty() && applied.rbegin()->first > migrations.back().version) {
      return absl::FailedPreconditionError(StrCat(
          "the database has migration ", applied.rbegin()->first, ", this program knows up to ",
          migrations.back().version, ": use a newer program"));
    }
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

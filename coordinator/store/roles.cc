#include "coordinator/store/roles.h"

#include <string>

namespace gridsweep::coordinator {
namespace {

// Two that grant the same at once would fail. Who may only read the table cannot hold this up.
constexpr Statement kLock{"lock_grants", "lock table schema_migrations in exclusive mode"};

}  // namespace

absl::Status GrantRoles(Database& database) {
  return database.Transact([](Transaction& t) -> absl::Status {
    t.Exec(kLock);
    t.ExecText(std::string(RolesSql()));
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

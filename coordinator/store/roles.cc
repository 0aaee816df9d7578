#include "coordinator/store/roles.h"

#include <string>

namespace gridsweep::coordinator {

absl::Status GrantRoles(Database& database) {
  return database.Transact([](Transaction& t) -> absl::Status {
    t.ExecText("select pg_advisory_xact_lock(7341, 3)");
    t.ExecText(std::string(RolesSql()));
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator

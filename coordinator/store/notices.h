// Notices of sweeps that have ended: written once each time, delivered at least once.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Writes a notice for each sweep with an address that has no unfinished run and was not told of
// since it last had one; for up to `limit` of them. Sweeps that another coordinator is at are
// left to it. How many.
absl::StatusOr<int> WriteNotices(Database& database, int limit);

struct Notice {
  std::string id;  // uuid, as text
  int64_t sweep_id;
  std::string url, body;
  int tries;  // this one included
};
// The notice that has been due longest, for the caller alone for `hold`: if it is not heard of by
// then (its process died), the notice is due again. Nothing where none is due.
absl::StatusOr<std::optional<Notice>> TakeNotice(Database& database, absl::Duration hold);
absl::Status MarkDelivered(Database& database, const Notice& notice);
// It is due again after `pause`, or, for a notice older than `give_up`, never: true then.
absl::StatusOr<bool> MarkUndelivered(Database& database, const Notice& notice,
                                     const std::string& error, absl::Duration pause,
                                     absl::Duration give_up);
// Deletes notices that were settled longer than `keep` ago.
absl::Status DropNotices(Database& database, absl::Duration keep);

}  // namespace gridsweep::coordinator

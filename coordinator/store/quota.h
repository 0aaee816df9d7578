// How much one token's sweeps may take up.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>

#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Of all sweeps that one token name has submitted and nobody has deleted, together. 0: no limit.
struct Quota {
  int64_t sweeps = 0;
  int64_t runs = 0;
  int64_t bytes = 0;  // sweep files, and result files that runs of these sweeps name
};

// RESOURCE_EXHAUSTED, reason QUOTA, where one more sweep of `runs` runs and a sweep file of `bytes`
// would go beyond it. In the transaction that stores the sweep, which holds the lock of creations.
absl::Status CheckQuota(Transaction& t, const Quota& quota, const std::string& token_name,
                        int64_t runs, int64_t bytes);

}  // namespace gridsweep::coordinator

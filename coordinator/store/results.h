// What workers hand in: artifacts and finished runs.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <vector>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// OK while the lease is held; LEASE_LOST otherwise.
absl::Status CheckLease(Database& database, const LeaseKey& key);

// Records a file that is durable in the artifact store. LEASE_LOST as above.
// Afterwards the file is there to stay until the lease ends or, where it was garbage a moment ago,
// gone: look.
absl::Status RecordArtifact(Database& database, const LeaseKey& key, const std::string& sha256,
                            uint64_t size, const std::string& kind);
// The same as a part of `t`.
absl::Status RecordArtifact(Transaction& t, const LeaseKey& key, const std::string& sha256,
                            uint64_t size, const std::string& kind);

// A finished run as its worker streamed it, checked as far as that needs no database.
struct Completion {
  v1::CompleteRunRequest::Header header;
  // Unit-level metrics by column name; each header.unit_count() long, NaN = NULL.
  std::map<std::string, std::vector<double>> units;
};

// Bytes that the columns of AssembleCompletion take, from the header's number of units and the
// columns named anywhere: a column that comes with the last block has all units before it as NaN.
size_t CompletionBytes(const std::vector<v1::CompleteRunRequest>& messages);

// Puts the messages of a CompleteRun stream together. INVALID_ARGUMENT for a
// missing header, fields that cannot be kept, an unknown metric, units that are
// missing, repeated or out of order, columns of unequal length, infinite scores.
absl::StatusOr<Completion> AssembleCompletion(const std::vector<v1::CompleteRunRequest>& messages);

// Stores the run's result in one transaction and ends its lease. True when the
// same token had stored it before. Errors: LEASE_LOST; INVALID_ARGUMENT when
// the number of units is not the network's, or that of steps not the run's;
// FAILED_PRECONDITION for an artifact that was not uploaded.
absl::StatusOr<bool> CompleteRun(Database& database, const Completion& completion);

}  // namespace gridsweep::coordinator

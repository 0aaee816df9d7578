// Compares the artifact directory with the database, in both directions.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "common/artifact_store.h"
#include "coordinator/store/database.h"
#include "gridsweep/v1/admin.pb.h"

namespace gridsweep::coordinator {

// One part of the directory, of about a second; the answer's token leads to the next. With
// `request.repair` what can be mended without loss is: files that nothing names are left to the
// collector, uploads broken off longer than `grace` ago are removed. Nothing that is not the
// store's own is touched. Errors: INVALID_ARGUMENT for a token that is none; UNAVAILABLE where
// the directory cannot be read.
absl::StatusOr<v1::CheckArtifactsResponse> CheckArtifacts(Database& database,
                                                          ArtifactStore& artifacts,
                                                          absl::Duration grace,
                                                          const v1::CheckArtifactsRequest& request);

}  // namespace gridsweep::coordinator

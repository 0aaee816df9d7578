// What a coordinator says of a worker's write that no repeat of it can change. Only that ends a
// result; whatever else goes wrong (a server, a disk, a token, a wrong address) can be mended, and
// the write is made again.
#pragma once

#include <absl/status/status.h>

namespace gridsweep {

// `status` as it goes to a worker: where it finds fault with a field, with the ErrorInfo reason
// MALFORMED; others as they are.
absl::Status WithVerdict(absl::Status status);
// `status` with the ErrorInfo reason REFUSED: well-formed, and not to be had.
absl::Status Refused(absl::Status status);
// Whether `status` is one: MALFORMED, REFUSED, LEASE_LOST (also where the sweep is deleted), or
// CHECKPOINT_UNKNOWN, each of this project's domain.
bool IsVerdict(const absl::Status& status);

inline constexpr char kArtifactUnknown[] = "ARTIFACT_UNKNOWN";  // no verdict: upload it again
inline constexpr char kCheckpointUnknown[] = "CHECKPOINT_UNKNOWN";
inline constexpr char kIncarnationReplaced[] = "INCARNATION_REPLACED";

}  // namespace gridsweep

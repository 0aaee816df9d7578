// Whether a file that a worker has handed in is one that others can read without harm.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "common/artifact_store.h"
#include "hdf5/reader.h"

namespace gridsweep::coordinator {

// Looks at a file that is stored, and that no row names yet. INVALID_ARGUMENT, reason REFUSED,
// naming `field` and what is wrong, where it is not as our writers make it (hdf5/layout.h): it is
// removed then. UNAVAILABLE where that cannot be told now. OK without a reader. Takes some
// milliseconds, and waits for the disk.
absl::Status CheckFile(hdf5::Reader* reader, ArtifactStore& artifacts, const std::string& sha256,
                       std::string_view field);

}  // namespace gridsweep::coordinator

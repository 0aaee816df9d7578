#pragma once

#include <absl/status/status.h>

#include <string>

namespace gridsweep::sweepctl {

// Writes `bytes` to `path`. A regular file, or one that is new, appears whole or not at all (a
// temporary file beside it, renamed) and keeps its permissions; devices, pipes and symbolic links
// stay what they are and are written through. A pipe waits for its reader.
// Errors: INTERNAL, with the path and the system's reason.
absl::Status WriteFileWhole(const std::string& path, const std::string& bytes);

}  // namespace gridsweep::sweepctl

#pragma once

#include <absl/status/status.h>

#include <string>

namespace gridsweep::sweepctl {

// Writes `bytes` to `path` whole or not at all (a temporary file, renamed).
absl::Status WriteFileWhole(const std::string& path, const std::string& bytes);

}  // namespace gridsweep::sweepctl

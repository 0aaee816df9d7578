// What lies in an artifact directory, read from the directory itself.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gridsweep {

struct StoredArtifact {
  std::string sha256;  // 32 raw bytes
  uint64_t size;       // bytes
};
struct ArtifactListing {
  std::vector<StoredArtifact> files;          // by hash
  std::vector<std::filesystem::path> strays;  // what is no file of the store's
};
struct UnfinishedUpload {
  std::filesystem::path path;
  uint64_t size;       // bytes
  absl::Duration age;  // since it was last written to, by the file system's clock
};

// The files below `root` whose hashes begin with the byte `first`. A file that goes meanwhile may
// be listed or not. UNAVAILABLE when a directory cannot be read, or has no marker file: it is not
// mounted.
absl::StatusOr<ArtifactListing> ListArtifacts(const std::filesystem::path& root, uint8_t first);
// What lies in `root` itself beside the store's own directories, tmp and the marker file.
absl::StatusOr<std::vector<std::filesystem::path>> ListStrays(const std::filesystem::path& root);
// Files in `tmp` last written to longer than `age` ago. The clock is that of the file system, which
// several machines may share.
absl::StatusOr<std::vector<UnfinishedUpload>> ListUnfinished(const std::filesystem::path& tmp,
                                                             absl::Duration age);

}  // namespace gridsweep

// Where result files live, named by their SHA-256 and never changed.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/artifact_listing.h"
#include "common/sha256.h"

namespace gridsweep {

// A file on its way into the store: bytes are appended, then it is committed
// or, when this object goes first, thrown away.
class ArtifactUpload {
 public:
  virtual ~ArtifactUpload() = default;
  virtual absl::Status Append(std::string_view bytes) = 0;
  // Makes the file durable under `sha256` (32 raw bytes). DATA_LOSS when the
  // bytes do not hash to it; nothing is stored then.
  virtual absl::Status Commit(std::string_view sha256) = 0;
};

// A `sha256` of any length but 32 bytes names nothing: no path is made of it.
class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  virtual absl::StatusOr<std::unique_ptr<ArtifactUpload>> Begin() = 0;
  virtual bool Has(std::string_view sha256) const = 0;
  // A path that can be opened for reading. NOT_FOUND when it is not there.
  virtual absl::StatusOr<std::filesystem::path> Open(std::string_view sha256) const = 0;
  // Removes the file; OK when it is not there. Only once no committed row names it.
  virtual absl::Status Remove(std::string_view sha256) = 0;
  // The files whose hashes begin with the byte `first`, in the order of their hashes.
  virtual absl::StatusOr<ArtifactListing> List(uint8_t first) const = 0;
  // What lies beside them and is nothing of the store's.
  virtual absl::StatusOr<std::vector<std::filesystem::path>> Strays() const = 0;
  // Uploads that were broken off: to which nothing was added for `age`.
  virtual absl::StatusOr<std::vector<UnfinishedUpload>> Unfinished(absl::Duration age) const = 0;
  virtual absl::Status RemoveUnfinished(const UnfinishedUpload& upload) = 0;
};

// A directory that all coordinators and analysis share: ab/cd/<hash>.h5,
// written to a temporary file, fsynced and renamed. A marker file carries the
// database's instance id; FAILED_PRECONDITION when it names another one. The
// marker is written when the directory is empty or absent and `create` is set.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactDirectory(
    const std::filesystem::path& directory, const std::string& instance_id, bool create);

}  // namespace gridsweep

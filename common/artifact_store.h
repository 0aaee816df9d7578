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

// What is sent: which lease sends it, and what it will hash to (32 raw bytes).
struct UploadKey {
  std::string token;
  std::string sha256;
};

// A file on its way into the store: bytes are appended, then it is committed. When this object goes
// first, what has come waits for whoever begins with the same key again, at any coordinator.
class ArtifactUpload {
 public:
  virtual ~ArtifactUpload() = default;
  // Errors: UNAVAILABLE; what had come is thrown away then, for the room that it takes.
  virtual absl::Status Append(std::string_view bytes) = 0;
  // Makes the file durable under the key's hash. DATA_LOSS when the bytes do not hash to it,
  // UNAVAILABLE when the disk fails; nothing is stored then, and what had come is thrown away.
  virtual absl::Status Commit() = 0;
};

// A `sha256` of any length but 32 bytes names nothing: no path is made of it. Whatever the file
// system refuses (no room, read-only, gone, unreadable, too many open files) is UNAVAILABLE: it
// says nothing of what is stored, and can be mended.
class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  // Goes on after the first `from` bytes of what was left half-way under `key`, and drops what is
  // beyond; what else the lease has left half-way goes. Errors: INVALID_ARGUMENT for a hash that is
  // none; ABORTED where less than `from` bytes are there: begin with PartialSize; UNAVAILABLE while
  // another sends the same.
  virtual absl::StatusOr<std::unique_ptr<ArtifactUpload>> Begin(const UploadKey& key,
                                                                uint64_t from) = 0;
  // How many bytes were left half-way under `key`.
  virtual uint64_t PartialSize(const UploadKey& key) const = 0;
  virtual bool Has(std::string_view sha256) const = 0;
  // A path that can be opened for reading. NOT_FOUND when the directory is sound and it is not
  // there; else UNAVAILABLE.
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
  // Whether it can be written to: writes, syncs and removes a small file. Blocks for as long as the
  // file system does.
  virtual absl::Status Probe() const = 0;
};

// What a store keeps in the folder `tmp` of its directory until it is committed:
//   *.partial  named by UploadName, locked (flock) while it is written to; what nobody holds locked
//              was left half-way, and is of use until its lease has ended
//   probe-*    of Probe; there for a moment
inline constexpr char kPartialSuffix[] = ".partial", kProbePrefix[] = "probe-";
// "<32 digits of the SHA-256 of the token>-<64 digits of the file's SHA-256>.partial": who may read
// the directory learns no token.
std::string UploadName(const UploadKey& key);
// The part of it that all files of one lease begin with: up to and with the "-".
std::string UploadPrefix(std::string_view token);

// A directory that all coordinators and analysis share: ab/cd/<hash>.h5,
// written to a temporary file, fsynced and renamed. A marker file carries the
// database's instance id; FAILED_PRECONDITION when it names another one. The
// marker is written when the directory is empty or absent and `create` is set, and
// FAILED_PRECONDITION when other things are in it. UNAVAILABLE where the marker cannot be read or,
// without `create`, is not there: what is not mounted now may be so later.
absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactDirectory(
    const std::filesystem::path& directory, const std::string& instance_id, bool create);

}  // namespace gridsweep

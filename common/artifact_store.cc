#include "common/artifact_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

// Space may come back.
absl::Status Failed(std::string_view what, const fs::path& path, int error) {
  const std::string message = StrCat(what, " ", path.string(), ": ", std::strerror(error));
  return error == ENOSPC || error == EDQUOT ? absl::UnavailableError(message)
                                            : absl::InternalError(message);
}

absl::Status Errno(std::string_view what, const fs::path& path) {
  return Failed(what, path, errno);
}

absl::Status SyncDirectory(const fs::path& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("cannot open", directory);
  const bool ok = fsync(fd) == 0;
  close(fd);
  return ok ? absl::OkStatus() : Errno("cannot sync", directory);
}

class DirectoryUpload : public ArtifactUpload {
 public:
  DirectoryUpload(fs::path root, fs::path temporary, int fd)
      : root_(std::move(root)), temporary_(std::move(temporary)), fd_(fd) {}

  ~DirectoryUpload() override {
    if (fd_ >= 0) close(fd_);
    if (!committed_) unlink(temporary_.c_str());
  }

  absl::Status Append(std::string_view bytes) override {
    sha_.Update(bytes);
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Errno("cannot write", temporary_);
      bytes.remove_prefix(written);
    }
    return absl::OkStatus();
  }

  absl::Status Commit(std::string_view sha256) override;

 private:
  const fs::path root_;
  const fs::path temporary_;
  int fd_;
  Sha256 sha_;
  bool committed_ = false;
};

constexpr size_t kHashBytes = 32;

// Precondition: kHashBytes.
fs::path PathOf(const fs::path& root, std::string_view sha256) {
  const std::string hex = ToHex(sha256);
  return root / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
}

absl::Status DirectoryUpload::Commit(std::string_view sha256) {
  if (const std::string actual = sha_.Digest(); actual != sha256) {
    return absl::DataLossError(StrCat("the artifact's bytes hash to ", ToHex(actual), ", not to ",
                                      ToHex(sha256), " as announced"));
  }
  if (fsync(fd_) != 0) return Errno("cannot sync", temporary_);
  const fs::path path = PathOf(root_, sha256);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return Failed("cannot create", path.parent_path(), error.value());
  if (rename(temporary_.c_str(), path.c_str()) != 0) return Errno("cannot rename to", path);
  committed_ = true;
  // The names of all levels must be durable before a row names the file.
  for (const fs::path& dir : {path.parent_path(), path.parent_path().parent_path(), root_}) {
    RETURN_IF_ERROR(SyncDirectory(dir));
  }
  return absl::OkStatus();
}

class DirectoryStore : public ArtifactStore {
 public:
  explicit DirectoryStore(fs::path root) : root_(std::move(root)) {}

  absl::StatusOr<std::unique_ptr<ArtifactUpload>> Begin() override {
    const fs::path temporary = root_ / "tmp" / ToHex(RandomBytes(16));
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return Errno("cannot create", temporary);
    return std::make_unique<DirectoryUpload>(root_, temporary, fd);
  }

  bool Has(std::string_view sha256) const override {
    std::error_code error;
    return sha256.size() == kHashBytes && fs::exists(PathOf(root_, sha256), error);
  }

  absl::StatusOr<fs::path> Open(std::string_view sha256) const override {
    if (!Has(sha256)) return absl::NotFoundError(StrCat("no artifact ", ToHex(sha256)));
    return PathOf(root_, sha256);
  }

  absl::Status Remove(std::string_view sha256) override {
    if (sha256.size() != kHashBytes) return absl::OkStatus();
    const fs::path path = PathOf(root_, sha256);
    return unlink(path.c_str()) == 0 || errno == ENOENT ? absl::OkStatus()
                                                        : Errno("cannot remove", path);
  }

  absl::StatusOr<ArtifactListing> List(uint8_t first) const override {
    return ListArtifacts(root_, first);
  }
  absl::StatusOr<std::vector<fs::path>> Strays() const override { return ListStrays(root_); }
  absl::StatusOr<std::vector<UnfinishedUpload>> Unfinished(absl::Duration age) const override {
    return ListUnfinished(root_ / "tmp", age);
  }
  absl::Status RemoveUnfinished(const UnfinishedUpload& upload) override {
    return unlink(upload.path.c_str()) == 0 || errno == ENOENT
               ? absl::OkStatus()
               : Errno("cannot remove", upload.path);
  }

 private:
  const fs::path root_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactDirectory(const fs::path& directory,
                                                                     const std::string& instance_id,
                                                                     bool create) {
  const fs::path marker = directory / "gridsweep-instance";
  std::string found;
  if (std::ifstream in(marker); in) in >> found;
  if (found.empty() && create) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error)
      return absl::FailedPreconditionError(
          StrCat("cannot create ", directory.string(), ": ", error.message()));
    if (!fs::is_empty(directory)) {
      return absl::FailedPreconditionError(
          StrCat(directory.string(),
                 " is not empty and has no marker file: it is not an artifact directory"));
    }
    std::ofstream(marker) << instance_id << "\n";
    found = instance_id;
    RETURN_IF_ERROR(SyncDirectory(directory));
  }
  if (found.empty()) {
    return absl::FailedPreconditionError(
        StrCat(directory.string(), " is not an artifact directory: start the coordinator first"));
  }
  if (found != instance_id) {
    return absl::FailedPreconditionError(StrCat(
        directory.string(), " belongs to database instance ", found, ", not to ", instance_id));
  }
  std::error_code error;
  if (create) fs::create_directories(directory / "tmp", error);
  return std::make_unique<DirectoryStore>(directory);
}

}  // namespace gridsweep

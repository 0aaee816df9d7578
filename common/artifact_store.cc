#include "common/artifact_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

// Whatever it is, it is no fault of what is stored, and whoever asks again may find it mended.
absl::Status Failed(std::string_view what, const fs::path& path, int error) {
  return absl::UnavailableError(StrCat("the artifact directory fails: ", what, " ", path.string(),
                                       ": ", std::strerror(error)));
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

constexpr size_t kHashBytes = 32, kTokenDigits = 32;
constexpr size_t kReadBytes = 1 << 20;
constexpr char kTemporary[] = "tmp", kMarker[] = "gridsweep-instance";

// Precondition: kHashBytes.
fs::path PathOf(const fs::path& root, std::string_view sha256) {
  const std::string hex = ToHex(sha256);
  return root / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
}

absl::Status WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Errno("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// Whether `path` still names what `fd` has open.
bool IsSameFile(int fd, const fs::path& path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

class DirectoryUpload : public ArtifactUpload {
 public:
  // `shared`: others find the file by its name, and may go on with it.
  DirectoryUpload(fs::path root, fs::path temporary, std::string sha256, int fd, bool shared)
      : root_(std::move(root)),
        temporary_(std::move(temporary)),
        sha256_(std::move(sha256)),
        fd_(fd),
        keep_(shared) {}

  ~DirectoryUpload() override {
    struct stat found;
    const bool empty = fstat(fd_, &found) == 0 && found.st_size == 0;
    // Before the lock goes with the descriptor: another may begin with the name then.
    if (!committed_ && (!keep_ || empty)) unlink(temporary_.c_str());
    close(fd_);
  }

  // Takes the first `from` bytes as they are, and drops the rest.
  absl::Status GoOnFrom(uint64_t from) {
    std::string buffer;
    for (uint64_t at = 0; at < from;) {
      buffer.resize(static_cast<size_t>(std::min<uint64_t>(kReadBytes, from - at)));
      const ssize_t got = pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        keep_ = false;
        return Errno("cannot read", temporary_);
      }
      if (got == 0) {
        return absl::AbortedError(StrCat("only ", at, " bytes of this file were left half-way; ask "
                                         "again where to begin"));
      }
      sha_.Update({buffer.data(), static_cast<size_t>(got)});
      at += static_cast<uint64_t>(got);
    }
    if (ftruncate(fd_, static_cast<off_t>(from)) != 0) return Errno("cannot shorten", temporary_);
    if (lseek(fd_, static_cast<off_t>(from), SEEK_SET) < 0) return Errno("cannot seek", temporary_);
    return absl::OkStatus();
  }

  absl::Status Append(std::string_view bytes) override {
    sha_.Update(bytes);
    absl::Status status = WriteAll(fd_, bytes, temporary_);
    keep_ = keep_ && status.ok();
    return status;
  }

  absl::Status Commit() override {
    keep_ = false;
    if (const std::string actual = sha_.Digest(); actual != sha256_) {
      return absl::DataLossError(StrCat("the artifact's bytes hash to ", ToHex(actual), ", not to ",
                                        ToHex(sha256_), " as announced"));
    }
    if (fsync(fd_) != 0) return Errno("cannot sync", temporary_);
    // Before anything is made in a directory that is not the one of the beginning.
    if (!IsSameFile(fd_, temporary_)) return Failed("cannot find", temporary_, ENOENT);
    const fs::path path = PathOf(root_, sha256_);
    for (const fs::path& dir : {path.parent_path().parent_path(), path.parent_path()}) {
      std::error_code error;
      fs::create_directory(dir, error);
      if (error) return Failed("cannot create", dir, error.value());
    }
    if (rename(temporary_.c_str(), path.c_str()) != 0) return Errno("cannot rename to", path);
    committed_ = true;
    // The names of all levels must be durable before a row names the file.
    for (const fs::path& dir : {path.parent_path(), path.parent_path().parent_path(), root_}) {
      RETURN_IF_ERROR(SyncDirectory(dir));
    }
    return absl::OkStatus();
  }

 private:
  const fs::path root_;
  const fs::path temporary_;
  const std::string sha256_;
  const int fd_;
  Sha256 sha_;
  bool keep_, committed_ = false;
};

class DirectoryStore : public ArtifactStore {
 public:
  DirectoryStore(fs::path root, std::string instance_id)
      : root_(std::move(root)), instance_id_(std::move(instance_id)) {}

  absl::StatusOr<std::unique_ptr<ArtifactUpload>> Begin(const UploadKey& key,
                                                        uint64_t from) override {
    if (key.sha256.size() != kHashBytes) {
      return absl::InvalidArgumentError("an artifact is named by the 32 bytes of its SHA-256");
    }
    if (from == 0) ForgetOthers(key);
    ASSIGN_OR_RETURN(auto upload, OpenPartial(key));
    RETURN_IF_ERROR(upload->GoOnFrom(from));
    return upload;
  }

  uint64_t PartialSize(const UploadKey& key) const override {
    struct stat found;
    return stat((root_ / kTemporary / UploadName(key)).c_str(), &found) == 0
               ? static_cast<uint64_t>(found.st_size)
               : 0;
  }

  bool Has(std::string_view sha256) const override {
    std::error_code error;
    return sha256.size() == kHashBytes && fs::exists(PathOf(root_, sha256), error);
  }

  absl::StatusOr<fs::path> Open(std::string_view sha256) const override {
    const absl::Status missing = absl::NotFoundError(StrCat("no artifact ", ToHex(sha256)));
    if (sha256.size() != kHashBytes) return missing;
    const fs::path path = PathOf(root_, sha256);
    if (access(path.c_str(), R_OK) == 0) return path;
    if (errno != ENOENT) return Errno("cannot read", path);
    // A directory that is away holds nothing either.
    RETURN_IF_ERROR(CheckMarker());
    return missing;
  }

  absl::Status Remove(std::string_view sha256) override {
    if (sha256.size() != kHashBytes) return absl::OkStatus();
    return RemoveFile(PathOf(root_, sha256));
  }

  absl::StatusOr<ArtifactListing> List(uint8_t first) const override {
    return ListArtifacts(root_, first);
  }
  absl::StatusOr<std::vector<fs::path>> Strays() const override { return ListStrays(root_); }
  absl::StatusOr<std::vector<UnfinishedUpload>> Unfinished(absl::Duration age) const override {
    return ListUnfinished(root_ / kTemporary, age);
  }
  absl::Status RemoveUnfinished(const UnfinishedUpload& upload) override {
    return RemoveFile(upload.path);
  }

  absl::Status Probe() const override {
    RETURN_IF_ERROR(CheckMarker());
    const fs::path path = root_ / kTemporary / (kProbePrefix + ToHex(RandomBytes(16)));
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return Errno("cannot create", path);
    absl::Status status = WriteAll(fd, std::string(4096, '.'), path);
    if (status.ok() && fsync(fd) != 0) status = Errno("cannot sync", path);
    close(fd);
    unlink(path.c_str());
    return status;
  }

 private:
  absl::Status RemoveFile(const fs::path& path) const {
    if (unlink(path.c_str()) == 0) return absl::OkStatus();
    // Not there, or all of the directory is away.
    return errno == ENOENT ? CheckMarker() : Errno("cannot remove", path);
  }
  absl::Status CheckMarker() const {
    const fs::path marker = root_ / kMarker;
    std::ifstream in(marker);
    if (!in) return Errno("cannot read", marker);
    std::string found;
    in >> found;
    return found == instance_id_
               ? absl::OkStatus()
               : absl::UnavailableError(StrCat("the artifact directory fails: ", marker.string(),
                                               " is not the one that this program began with"));
  }

  // The file of `key`, locked.
  absl::StatusOr<std::unique_ptr<DirectoryUpload>> OpenPartial(const UploadKey& key) const {
    const fs::path path = root_ / kTemporary / UploadName(key);
    for (;;) {
      const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (fd < 0) return Errno("cannot create", path);
      if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        close(fd);
        if (error == EINTR) continue;
        if (error == EWOULDBLOCK) {
          return absl::UnavailableError("this file is being sent by another call; wait for it");
        }
        return OpenUnshared(key);
      }
      if (IsSameFile(fd, path)) {
        return std::make_unique<DirectoryUpload>(root_, path, key.sha256, fd, /*shared=*/true);
      }
      close(fd);  // it was committed or thrown away in between
    }
  }

  // Where the file system has no locks: two who write to one file would harm each other.
  absl::StatusOr<std::unique_ptr<DirectoryUpload>> OpenUnshared(const UploadKey& key) const {
    const std::string name =
        StrCat(UploadPrefix(key.token), ToHex(RandomBytes(16)), kPartialSuffix);
    const fs::path path = root_ / kTemporary / name;
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return Errno("cannot create", path);
    return std::make_unique<DirectoryUpload>(root_, path, key.sha256, fd, /*shared=*/false);
  }

  // A lease leaves one file half-way at most.
  void ForgetOthers(const UploadKey& key) const {
    const std::string own = UploadName(key), prefix = UploadPrefix(key.token);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_ / kTemporary, error)) {
      const std::string name = entry.path().filename();
      if (name == own || name.rfind(prefix, 0) != 0) continue;
      const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) continue;
      if (flock(fd, LOCK_EX | LOCK_NB) == 0 && IsSameFile(fd, entry.path())) {
        unlink(entry.path().c_str());
      }
      close(fd);
    }
  }

  const fs::path root_;
  const std::string instance_id_;
};

}  // namespace

std::string UploadPrefix(std::string_view token) {
  return StrCat(ToHex(Sha256::Of(token)).substr(0, kTokenDigits), "-");
}

std::string UploadName(const UploadKey& key) {
  return StrCat(UploadPrefix(key.token), ToHex(key.sha256), kPartialSuffix);
}

absl::StatusOr<std::unique_ptr<ArtifactStore>> OpenArtifactDirectory(const fs::path& directory,
                                                                     const std::string& instance_id,
                                                                     bool create) {
  const fs::path marker = directory / kMarker;
  std::string found;
  if (std::ifstream in(marker); in) {
    in >> found;
  } else if (errno != ENOENT) {
    return Errno("cannot read", marker);
  }
  std::error_code error;
  if (found.empty() && create) {
    fs::create_directories(directory, error);
    if (error)
      return absl::FailedPreconditionError(
          StrCat("cannot create ", directory.string(), ": ", error.message()));
    const bool empty = fs::is_empty(directory, error);
    if (error) return Failed("cannot look into", directory, error.value());
    if (!empty) {
      return absl::FailedPreconditionError(
          StrCat(directory.string(),
                 " is not empty and has no marker file: it is not an artifact directory"));
    }
    std::ofstream(marker) << instance_id << "\n";
    found = instance_id;
    RETURN_IF_ERROR(SyncDirectory(directory));
  }
  if (found.empty()) {
    return absl::UnavailableError(
        StrCat(directory.string(), " holds no artifacts of this database: is its file system "
               "mounted, and has a coordinator run? To begin without the files that were there, "
               "write the line ", instance_id, " to ", marker.string()));
  }
  if (found != instance_id) {
    return absl::FailedPreconditionError(StrCat(
        directory.string(), " belongs to database instance ", found, ", not to ", instance_id));
  }
  if (create) fs::create_directories(directory / kTemporary, error);
  return std::make_unique<DirectoryStore>(directory, instance_id);
}

}  // namespace gridsweep

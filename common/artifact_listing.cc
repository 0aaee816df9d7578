#include "common/artifact_listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "common/sha256.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

namespace fs = std::filesystem;

absl::Status Unreadable(const fs::path& path, const std::string& why) {
  return absl::UnavailableError(StrCat("cannot read ", path.string(), ": ", why));
}

// Calls `take` for each entry of `directory`; for none where it is not there.
template <typename Take>
absl::Status ForEach(const fs::path& directory, Take take) {
  std::error_code error;
  fs::directory_iterator at(directory, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) take(at->path());
  if (!error || error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  return Unreadable(directory, error.message());
}

bool IsHex(const std::string& text, size_t size) {
  return text.size() == size &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The entry itself, not what a link points to.
std::optional<struct stat> StatOf(const fs::path& path) {
  struct stat stat;
  if (lstat(path.c_str(), &stat) != 0) return std::nullopt;
  return stat;
}

bool IsDirectory(const fs::path& path) {
  const auto stat = StatOf(path);
  return stat && S_ISDIR(stat->st_mode);
}

// By a file that is made for it: the machine's own clock may be another.
absl::StatusOr<absl::Time> FileSystemNow(const fs::path& directory) {
  const fs::path probe = directory / StrCat("clock-", ToHex(RandomBytes(8)));
  const int fd = open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Unreadable(directory, std::strerror(errno));
  struct stat stat;
  const bool ok = fstat(fd, &stat) == 0;
  close(fd);
  unlink(probe.c_str());
  if (!ok) return Unreadable(directory, std::strerror(errno));
  return absl::TimeFromTimespec(stat.st_mtim);
}

}  // namespace

absl::StatusOr<ArtifactListing> ListArtifacts(const fs::path& root, uint8_t first) {
  // A directory that is not mounted holds nothing, and says nothing of what is lost.
  if (const fs::path marker = root / "gridsweep-instance"; !StatOf(marker)) {
    return Unreadable(marker, StrCat(std::strerror(errno), "; is the directory mounted?"));
  }
  ArtifactListing listing;
  const std::string top = ToHex(std::string(1, static_cast<char>(first)));
  std::vector<fs::path> shelves;
  absl::Status status = ForEach(root / top, [&](const fs::path& path) {
    const bool own = IsHex(path.filename().string(), 2) && IsDirectory(path);
    (own ? shelves : listing.strays).push_back(path);
  });
  for (const fs::path& shelf : shelves) {
    if (!status.ok()) return status;
    status = ForEach(shelf, [&](const fs::path& path) {
      const auto stat = StatOf(path);
      if (!stat) return;  // it has just gone
      const std::string stem = path.stem().string();
      const bool own = path.extension() == ".h5" && IsHex(stem, 64) && S_ISREG(stat->st_mode) &&
                       stem.compare(0, 4, top + shelf.filename().string()) == 0;
      if (own) {
        listing.files.push_back({FromHex(stem), static_cast<uint64_t>(stat->st_size)});
      } else {
        listing.strays.push_back(path);
      }
    });
  }
  if (!status.ok()) return status;
  std::ranges::sort(listing.files, {}, &StoredArtifact::sha256);
  std::ranges::sort(listing.strays);
  return listing;
}

absl::StatusOr<std::vector<fs::path>> ListStrays(const fs::path& root) {
  std::vector<fs::path> strays;
  const absl::Status status = ForEach(root, [&](const fs::path& path) {
    const std::string name = path.filename().string();
    const bool own = name == "tmp" || IsHex(name, 2) ? IsDirectory(path)
                                                     : name == "gridsweep-instance";
    if (!own) strays.push_back(path);
  });
  if (!status.ok()) return status;
  std::ranges::sort(strays);
  return strays;
}

absl::StatusOr<std::vector<UnfinishedUpload>> ListUnfinished(const fs::path& tmp,
                                                             absl::Duration age) {
  std::vector<std::pair<fs::path, struct stat>> found;
  if (absl::Status status = ForEach(tmp,
                                    [&](const fs::path& path) {
                                      const auto stat = StatOf(path);
                                      if (stat && S_ISREG(stat->st_mode)) {
                                        found.emplace_back(path, *stat);
                                      }
                                    });
      !status.ok()) {
    return status;
  }
  std::vector<UnfinishedUpload> unfinished;
  if (found.empty()) return unfinished;
  const absl::StatusOr<absl::Time> now = FileSystemNow(tmp);
  if (!now.ok()) return now.status();
  for (const auto& [path, stat] : found) {
    const absl::Duration since = *now - absl::TimeFromTimespec(stat.st_mtim);
    if (since > age) unfinished.push_back({path, static_cast<uint64_t>(stat.st_size), since});
  }
  return unfinished;
}

}  // namespace gridsweep

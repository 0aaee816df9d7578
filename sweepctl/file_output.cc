#include "sweepctl/file_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

// Writes all and closes `fd`; false with errno set where anything went wrong.
bool WriteAndClose(int fd, const std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      close(fd);
      errno = error;
      return false;
    }
    at += static_cast<size_t>(n);
  }
  return close(fd) == 0;
}

bool WriteThrough(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  return fd >= 0 && WriteAndClose(fd, bytes);
}

// `old` is the file that is replaced, nullptr where there is none.
bool Replace(const std::string& path, const std::string& bytes, const struct stat* old) {
  const std::string temporary = StrCat(path, ".", getpid(), ".tmp");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  // Only root can give files away; whose file it becomes does not decide about its permissions.
  if (old != nullptr) (void)!fchown(fd, old->st_uid, old->st_gid);
  const bool as_before = old == nullptr || fchmod(fd, old->st_mode & 07777) == 0;
  if (!as_before) close(fd);
  if (as_before && WriteAndClose(fd, bytes) && rename(temporary.c_str(), path.c_str()) == 0) {
    return true;
  }
  const int error = errno;
  unlink(temporary.c_str());
  errno = error;
  return false;
}

}  // namespace

absl::Status WriteFileWhole(const std::string& path, const std::string& bytes) {
  struct stat found {};
  const bool exists = lstat(path.c_str(), &found) == 0;
  const bool written = exists && !S_ISREG(found.st_mode)
                           ? WriteThrough(path, bytes)
                           : Replace(path, bytes, exists ? &found : nullptr);
  if (written) return absl::OkStatus();
  return absl::InternalError(StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

}  // namespace gridsweep::sweepctl

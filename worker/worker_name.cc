#include "worker/worker_name.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "common/strings.h"

namespace gridsweep::worker {

std::string ClaimWorkerName() {
  char host[256] = {};
  gethostname(host, sizeof(host) - 1);
  for (int i = 1; i <= 1000; ++i) {
    const std::string name = i == 1 ? std::string(host) : StrCat(host, "-", i);
    const std::string file =
        StrCat("gridsweep-worker-", static_cast<uint64_t>(getuid()), "-", name, ".lock");
    const auto path = std::filesystem::temp_directory_path() / file;
    const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) continue;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return name;  // fd stays open with the process
    close(fd);
  }
  return StrCat(host, "-pid", static_cast<int64_t>(getpid()));
}

}  // namespace gridsweep::worker

#include "sweepctl/file_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "common/strings.h"

namespace gridsweep::sweepctl {

absl::Status WriteFileWhole(const std::string& path, const std::string& bytes) {
  const std::string temporary = StrCat(path, ".", getpid(), ".tmp");
  const auto failed = [&] {
    const int error = errno;
    std::remove(temporary.c_str());
    return absl::InternalError(StrCat("cannot write ", path, ": ", std::strerror(error)));
  };
  std::ofstream out(temporary, std::ios::binary);
  out << bytes;
  out.close();
  if (!out || std::rename(temporary.c_str(), path.c_str()) != 0) return failed();
  return absl::OkStatus();
}

}  // namespace gridsweep::sweepctl

#include "tests/support/small_disk.h"

#include <sched.h>
#include <sys/mount.h>

#include <fstream>

namespace gridsweep::testing {

bool EnterOwnMounts() {
  static thread_local const bool entered =
      unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return entered;
}

SmallDisk::SmallDisk(const std::string& options)
    : mounted_(EnterOwnMounts() && mount("tmpfs", path().c_str(), "tmpfs", 0,
                                         ("mode=0755," + options).c_str()) == 0) {}

SmallDisk::~SmallDisk() {
  if (mounted_) umount2(path().c_str(), MNT_DETACH);
}

bool SmallDisk::Remount(const std::string& options) {
  return mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT, options.c_str()) == 0;
}

void SmallDisk::Fill() {
  std::ofstream ballast(path() / "ballast", std::ios::app | std::ios::binary);
  for (const size_t piece : {size_t{1} << 20, size_t{4096}}) {
    const std::string bytes(piece, 'x');
    while (ballast.write(bytes.data(), static_cast<std::streamsize>(piece)).flush()) {
    }
    ballast.clear();
  }
}

void SmallDisk::Clear() { std::filesystem::remove(path() / "ballast"); }

}  // namespace gridsweep::testing

#include "tests/chaos/artifact_disk.h"

#include <pwd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <utility>

#include "common/strings.h"

namespace gridsweep::testing {
namespace {

// For 100,000 runs: a file takes 110 kB.
constexpr char kRoom[] = "size=12g,nr_inodes=400000";

}  // namespace

ArtifactDisk::ArtifactDisk(std::filesystem::path place, const std::string& user)
    : disk_(kRoom), place_(std::move(place)) {
  std::filesystem::create_directory(place_);
  const passwd* owner = getpwnam(user.c_str());
  if (!disk_.mounted() || owner == nullptr) return;
  uid_ = owner->pw_uid;
  gid_ = owner->pw_gid;
  mounted_ = chown(disk_.path().c_str(), uid_, gid_) == 0 && Bind();
}

ArtifactDisk::~ArtifactDisk() {
  if (mounted_) umount2(place_.c_str(), MNT_DETACH);
}

bool ArtifactDisk::Bind() {
  return mount(disk_.path().c_str(), place_.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

bool ArtifactDisk::Break(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kUnmountArtifacts: {
      // What is under a mount may be the programs' own, or closed to them.
      if (umount2(place_.c_str(), MNT_DETACH) != 0) return false;
      const bool own = fault.amount % 2 == 0;
      return chown(place_.c_str(), own ? uid_ : 0, own ? gid_ : 0) == 0;
    }
    case FaultKind::kLockArtifacts:  // EBUSY while a file is open for writing
      return mount(nullptr, place_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) ==
             0;
    case FaultKind::kFillArtifacts: {
      struct statvfs now {};
      if (statvfs(disk_.path().c_str(), &now) != 0) return false;
      return disk_.Remount(StrCat("size=", uint64_t{now.f_frsize} * (now.f_blocks - now.f_bfree)));
    }
    default:
      return chmod(disk_.path().c_str(), 0) == 0;
  }
}

bool ArtifactDisk::Mend(FaultKind kind) {
  switch (kind) {
    case FaultKind::kUnmountArtifacts:
      return Bind();
    case FaultKind::kLockArtifacts:
      return mount(nullptr, place_.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0;
    case FaultKind::kFillArtifacts:
      return disk_.Remount(kRoom);
    default:
      return chmod(disk_.path().c_str(), 0755) == 0;
  }
}

}  // namespace gridsweep::testing

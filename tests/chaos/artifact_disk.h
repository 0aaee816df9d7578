// The artifact directory, on a small file system of its own that fails as disks and mounts do.
#pragma once

#include <filesystem>
#include <string>

#include "tests/chaos/schedule.h"
#include "tests/support/small_disk.h"

namespace gridsweep::testing {

// All mounts are in the mount namespace of the calling thread, which is the test's own, and of the
// programs that it starts. Not thread-safe.
class ArtifactDisk {
 public:
  // Mounts it on the empty directory `place`; both belong to `user`.
  ArtifactDisk(std::filesystem::path place, const std::string& user);
  ~ArtifactDisk();

  // False where this process may not mount, or there is no such user.
  bool mounted() const { return mounted_; }
  // What is on it, whatever is done to `place`.
  const std::filesystem::path& contents() const { return disk_.path(); }

  // One of the faults of artifacts; false when it cannot be done at this moment: try again.
  bool Break(const Fault& fault);
  // Ends that fault; false: try again.
  bool Mend(FaultKind kind);

 private:
  bool Bind();

  SmallDisk disk_;
  const std::filesystem::path place_;
  unsigned uid_ = 0, gid_ = 0;
  bool mounted_ = false;
};

}  // namespace gridsweep::testing

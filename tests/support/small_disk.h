// A small file system that a test fills.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {

// Puts the calling thread, and what it starts from now on, into a mount namespace of its own: what
// is mounted there goes with the last of them. False where the process may not do so.
bool EnterOwnMounts();

// A tmpfs in a directory of its own, in the mount namespace of the calling thread, which is the
// test's own. It is there for as long as the object.
class SmallDisk {
 public:
  // `options`: what mount(8) takes for a tmpfs, for example "size=60m,nr_inodes=100".
  explicit SmallDisk(const std::string& options);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // False where this process may not mount.
  bool mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return directory_.path(); }
  // Gives it other options; false where they do not fit what it holds.
  bool Remount(const std::string& options);
  // Takes all room that is left; again what has become free since.
  void Fill();
  // Gives it back.
  void Clear();

 private:
  const TemporaryDirectory directory_;
  bool mounted_;
};

}  // namespace gridsweep::testing

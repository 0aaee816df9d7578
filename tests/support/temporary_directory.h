// A new directory for the files of a test.
#pragma once

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace gridsweep::testing {

// Makes a directory in $TMPDIR, or in /tmp, and removes it and all that is in it at the end of the
// object; nothing else. ctest gives each test a $TMPDIR of its own (in_own_directory), which goes
// with it even if the test does not come to this end.
//
// The name is short, for the path of a unix socket has at most 107 bytes. All users may enter:
// PostgreSQL runs as another when root runs the tests. Throws std::system_error.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "gs-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make " + name);
    }
    path_ = name;
    using std::filesystem::perms;
    std::filesystem::permissions(path_, perms::owner_all | perms::group_exec | perms::others_exec);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace gridsweep::testing

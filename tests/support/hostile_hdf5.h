// HDF5 files that a reader must refuse: most would have it open another file of its machine.
#pragma once

#include <string>
#include <vector>

namespace gridsweep::testing {

struct HostileFile {
  std::string name;   // what is wrong with it
  std::string bytes;  // a whole file
  std::string why;    // part of what a reader says of it
};

// Maps of the published shape [2, 44, 44] at /ratemaps/n44, and the attributes of a result file,
// but for one thing each. `other` is the file that is pointed to; the first
// kPointingElsewhere of them do so.
std::vector<HostileFile> HostileFiles(const std::string& other);
inline constexpr size_t kPointingElsewhere = 4;

// The same file with nothing wrong; and one whose maps are external storage in `other`.
std::string HarmlessFile();
std::string ExternalFile(const std::string& other);

// A checkpoint of nothing whose learning curve is external storage in `other`.
std::string HostileCheckpoint(const std::string& other);

// A chunk of few bytes that inflates to `bytes` of zeros, declared as one of 16 kB.
std::string InflatingFile(size_t bytes);

}  // namespace gridsweep::testing

// HDF5 files of ours with bytes changed: whatever the library makes of one, it costs that one
// answer.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "hdf5/file.h"

namespace gridsweep::fuzz {

// The file that an input of the fuzzer describes. Its first byte chooses a file of ours, 0xFF takes
// the rest as a whole file. Then follow changes, each an offset of 3 bytes, the kind of change and
// its bytes.
std::string ChangedFile(std::string_view input);

struct Seen {
  bool listed = false;  // opened, and its objects listed
  bool read = false;    // all of its numbers too
  bool died = false;    // ended the process that read it
};
// Reads all that can be read of a file that was opened, or not. Ends this process where an answer
// is not what readers of hostile files may be given.
Seen ReadAll(const absl::StatusOr<hdf5::File>& file);
// The same through the reading program, which must stay up.
Seen ReadByProgram(const std::string& bytes);

}  // namespace gridsweep::fuzz

// HDF5 files of ours with bytes changed, as the reading program meets them: whatever the library
// makes of one, it costs that one answer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gridsweep::fuzz {

// What became of the files so far.
struct BytesTally {
  uint64_t files = 0;
  uint64_t listed = 0;   // opened, and their objects listed
  uint64_t read = 0;     // of those: all of their numbers were read
  uint64_t died = 0;     // ended the process that read them
  uint64_t restarts = 0;  // of the reading program itself: it is to stay up
};
const BytesTally& Tally();

}  // namespace gridsweep::fuzz

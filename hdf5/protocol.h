// What a program and its gridsweep-hdf5-reader say to each other over unix sockets, in this
// machine's byte order: both are of one build, and kProtocol tells where they are not.
//
//   control (SOCK_SEQPACKET)  the reader sends a Hello; the program then a byte for each file, with
//                             two descriptors: one end of a session, and the file
//   session (SOCK_STREAM)     a frame with the file's inventory, or why it has none; then for each
//                             ReadRequest frames of numbers until all have come, or a refusal
#pragma once

#include <cstddef>
#include <cstdint>

namespace gridsweep::hdf5 {

constexpr uint32_t kProtocol = 1;
constexpr int kControlDescriptor = 3;

struct Hello {
  uint32_t protocol;
  int32_t landlock;  // its version in this kernel, 0: none
};

enum class FrameKind : uint32_t {
  kInventory,  // as Encode made it
  kNumbers,    // of a read, in parts
  kRefused,    // why: a text; the file's fault
  kFailed,     // why: a text; the reader's fault or the machine's
  kDied,       // int32: the signal that ended who read the file
};

struct FrameHeader {
  FrameKind kind;
  uint32_t bytes;  // that follow
};
constexpr uint32_t kMostInventoryBytes = 64 << 20;
constexpr uint32_t kMostTextBytes = 4096;

struct ReadRequest {
  uint32_t object;
  uint32_t type;  // a NumberType
  uint64_t first, rows;
};

}  // namespace gridsweep::hdf5

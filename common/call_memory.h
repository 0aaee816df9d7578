// Memory of single calls: what it means to run out of it, and giving it back.
#pragma once

#include <absl/status/statusor.h>
#include <malloc.h>

#include <new>
#include <utility>

#include "common/status.h"

namespace gridsweep {

// RESOURCE_EXHAUSTED with RetryInfo: what a caller hears whose call found no memory.
inline absl::Status OutOfMemory() {
  return WithRetryAfter(
      absl::ResourceExhaustedError("the server has no memory left for this call; try again when "
                                   "fewer are in progress, or ask for less"),
      absl::Seconds(5));
}

// What `work` returns, a status or a StatusOr; OutOfMemory where it throws std::bad_alloc.
template <typename Work>
auto WithinMemory(Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

// Gives the memory that was freed back to the system: the allocator keeps what lies below anything
// in use, which after a call of hundreds of megabytes can be all of them. Takes milliseconds.
inline void ReturnFreedMemory() { malloc_trim(0); }

}  // namespace gridsweep

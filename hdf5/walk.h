// The list of what an open file holds, made without touching any other file: each link is looked at
// before it is followed, each dataset's storage before its numbers are.
#pragma once

#include <absl/status/statusor.h>
#include <hdf5.h>

#include "hdf5/inventory.h"

namespace gridsweep::hdf5 {

// `file_bytes`: the file's size. DATA_LOSS where the list cannot be made, or passes its limits.
absl::StatusOr<Inventory> Walk(hid_t file, uint64_t file_bytes);

// Why the numbers of a dataset are not read, as the end of a sentence; "" where they may be.
// Opens nothing.
std::string StorageRefusal(hid_t dataset);

}  // namespace gridsweep::hdf5

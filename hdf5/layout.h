// What results and checkpoints hold under the names that our programs read (docs/artifacts.md).
#pragma once

#include <absl/status/status.h>

#include "hdf5/inventory.h"

namespace gridsweep::hdf5 {

// OK where the file holds what our writers make (CheckOurs), and each dataset whose place is known
// has the kind of numbers and the number of lengths that it has there. Unknown places are let be:
// workers may be newer than who checks. DATA_LOSS naming what is wrong.
absl::Status CheckLayout(const Inventory& inventory);

}  // namespace gridsweep::hdf5

// Include where trainers are tested: they train on what GRIDSWEEP_DEVICE names, or else on the
// first CUDA device, where there is one.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "science/integrator/trainer.h"

namespace gridsweep::integrator {

// On one thread, as a worker's slot.
inline const bool kDeviceIsChosen = [] {
  UseOneThreadPerSlot();
  const char* name = std::getenv("GRIDSWEEP_DEVICE");
  if (const absl::Status status = UseDevice(name == nullptr ? "auto" : name); !status.ok()) {
    std::fprintf(stderr, "GRIDSWEEP_DEVICE: %s\n", status.ToString().c_str());
    std::exit(1);
  }
  return true;
}();

}  // namespace gridsweep::integrator

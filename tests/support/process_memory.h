// What memory a process takes, from /proc.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace gridsweep::testing {

// The line `name` of /proc/PID/status, in MiB: "VmRSS" is what it has now, "VmHWM" the most that it
// has had.
inline int64_t ProcessMiB(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) / 1024;
  }
  ADD_FAILURE() << "process " << pid << " has no " << name;
  return 0;
}

}  // namespace gridsweep::testing

// Processes that outlive the command that starts them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gridsweep::sweepctl {

// A process, told apart from a later one with the same pid by its start time.
struct ProcessId {
  int64_t pid = 0;
  uint64_t start_ticks = 0;  // /proc/PID/stat, clock ticks since boot
  bool operator==(const ProcessId&) const = default;
};

// True while that very process runs; a zombie does not.
bool IsAlive(const ProcessId& process);
// This boot of the machine; start times of another mean nothing.
std::string BootId();

struct SpawnOptions {
  std::vector<std::string> argv;
  std::filesystem::path log;  // appended to; stdout and stderr go there
  std::filesystem::path directory = "/";
  std::string user;    // run as this user (needs root); empty = as we are
  bool daemon = true;  // in a session of its own, deaf to this terminal
};

// Starts a program; stdin is empty. NOT_FOUND when it cannot be executed.
absl::StatusOr<ProcessId> Spawn(const SpawnOptions& options);
// Starts a program, waits for it; INTERNAL with the end of its log unless it exits 0.
absl::Status RunToEnd(SpawnOptions options, const std::string& what);

// Sends `signal`, waits up to `grace`, then sends SIGKILL.
// OK once it is gone, at once when it already is.
absl::Status Stop(const ProcessId& process, int signal, absl::Duration grace);

// The last `lines` lines of a file, each indented; "" when there are none.
std::string LogTail(const std::filesystem::path& log, int lines);

}  // namespace gridsweep::sweepctl

// What `sweepctl local up` has started on this machine, as its state file
// says: DATA/local.json, and a pointer to the last DATA used.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweepctl/process.h"

namespace gridsweep::sweepctl {

struct LocalPiece {
  std::string name;  // postgres, coordinator, analysis, worker
  ProcessId process;
  std::string log;
  bool operator==(const LocalPiece&) const = default;
};

struct LocalState {
  std::string data;  // absolute
  std::string boot_id;
  std::string address, analysis_address;
  std::string database;  // libpq connection string
  int slots = 0;
  bool complete = false;  // `up` ended well
  std::vector<LocalPiece> pieces;

  // False after a reboot: then nothing of it can be running.
  bool IsOfThisBoot() const { return boot_id == BootId(); }
  LocalPiece* Find(const std::string& name);
};

// ${XDG_DATA_HOME:-~/.local/share}/gridsweep.
std::filesystem::path DefaultDataDirectory();
std::filesystem::path StateFile(const std::filesystem::path& data);

// nullopt when there is none; DATA_LOSS when it is not what we write.
absl::StatusOr<std::optional<LocalState>> ReadLocalState(const std::filesystem::path& data);
absl::Status WriteLocalState(const LocalState& state);
void RemoveLocalState(const std::filesystem::path& data);

// The data directory that a command without --data means: GRIDSWEEP_DATA, or
// the one last brought up, or the default.
std::filesystem::path ChooseDataDirectory();
// Remembers `data` as the one last brought up.
void RememberDataDirectory(const std::filesystem::path& data);

// The instance that commands talk to by default: brought up in this boot.
std::optional<LocalState> FindLocalState();

// Names each dead piece with the last lines of its log; "" when all live.
std::string CrashReport(const LocalState& state);

}  // namespace gridsweep::sweepctl

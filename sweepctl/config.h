// Which servers to talk to: flag, environment, the context of the
// configuration file, the local instance, built-in default, in that order.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace gridsweep::sweepctl {

inline constexpr char kDefaultAddress[] = "127.0.0.1:7070";
inline constexpr char kDefaultAnalysisAddress[] = "127.0.0.1:7071";

struct Setting {
  std::string value;
  std::string source;  // for example "flag --address", "environment GRIDSWEEP_ADDRESS"
  bool from_local_instance = false;
};

struct Settings {
  Setting address;           // coordinator
  Setting analysis_address;  // analysis
  std::string context;       // of the configuration file; may be empty
  std::filesystem::path file;
  bool file_exists = false;
};

struct SettingsInput {
  // From the command line; empty = not given.
  std::string address, analysis_address, context;
  std::function<std::optional<std::string>(const char*)> environment;
  // Addresses of the local instance, where one is up: coordinator, analysis.
  std::function<std::optional<std::pair<std::string, std::string>>()> local_instance;
};

// INVALID_ARGUMENT, with the file's line, where the configuration file is
// malformed or names no such context. No file is not an error.
absl::StatusOr<Settings> ResolveSettings(const SettingsInput& input);

// The process's environment; an empty variable counts as not set.
std::optional<std::string> Environment(const char* name);
// XDG base directories: `variable`, or `fallback` under $HOME.
std::filesystem::path XdgDirectory(const char* variable, const char* fallback);

}  // namespace gridsweep::sweepctl

// Which servers to talk to, and how to show who asks: flag, environment, the
// context of the configuration file, the local instance, built-in default, in
// that order.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/client_security.h"

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
  Setting tls_ca, tls_cert, tls_key, token_file;
  Setting token;        // from the environment alone
  Setting insecure;     // "true" or "false"
  std::string context;  // of the configuration file; may be empty
  std::filesystem::path file;
  bool file_exists = false;
};

struct SettingsInput {
  // From the command line; empty = not given.
  std::string address, analysis_address, context;
  std::string tls_ca, tls_cert, tls_key, token_file;
  bool insecure = false;
  std::function<std::optional<std::string>(const char*)> environment;
  // Addresses of the local instance, where one is up: coordinator, analysis.
  std::function<std::optional<std::pair<std::string, std::string>>()> local_instance;
};

// INVALID_ARGUMENT, with the file's line, where the configuration file is
// malformed or names no such context. No file is not an error.
absl::StatusOr<Settings> ResolveSettings(const SettingsInput& input);

ClientSecurity SecurityOf(const Settings& settings);

// The process's environment; an empty variable counts as not set.
std::optional<std::string> Environment(const char* name);
// XDG base directories: `variable`, or `fallback` under $HOME.
std::filesystem::path XdgDirectory(const char* variable, const char* fallback);

}  // namespace gridsweep::sweepctl

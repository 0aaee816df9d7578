#include "sweepctl/config.h"

#include <pwd.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

struct Context {
  std::optional<std::string> address, analysis_address;
};

absl::Status Malformed(const fs::path& file, const YAML::Mark& mark, const std::string& what) {
  return absl::InvalidArgumentError(
      StrCat(file.string(), ":", mark.line + 1, ":", mark.column + 1, ": ", what));
}

absl::StatusOr<Context> ReadContext(const fs::path& file, std::string& name, bool asked_for) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(file.string());
    if (!root.IsDefined() || root.IsNull()) root = YAML::Node(YAML::NodeType::Map);
    if (!root.IsMap()) return Malformed(file, root.Mark(), "must be a map");
    for (const auto& item : root) {
      const std::string key = item.first.as<std::string>();
      if (key != "current-context" && key != "contexts") {
        return Malformed(file, item.first.Mark(),
                         StrCat("\"", key, "\" is not one of current-context, contexts"));
      }
    }
    if (!asked_for && root["current-context"]) name = root["current-context"].as<std::string>();
    if (name.empty()) return Context{};
    const YAML::Node contexts = root["contexts"];
    if (contexts && !contexts.IsMap()) {
      return Malformed(file, contexts.Mark(), "contexts must be a map of name to addresses");
    }
    if (!contexts || !contexts[name]) {
      std::string known;
      if (contexts) {
        for (const auto& item : contexts) known += " " + item.first.as<std::string>();
      }
      return absl::InvalidArgumentError(StrCat(file.string(), ": there is no context \"", name,
                                               "\"; known:", known.empty() ? " none" : known));
    }
    Context context;
    for (const auto& item : contexts[name]) {
      const std::string key = item.first.as<std::string>();
      if (key == "address") {
        context.address = item.second.as<std::string>();
      } else if (key == "analysis-address") {
        context.analysis_address = item.second.as<std::string>();
      } else {
        return Malformed(file, item.first.Mark(),
                         StrCat("\"", key, "\" is not one of address, analysis-address"));
      }
    }
    return context;
  } catch (const YAML::Exception& error) {
    return Malformed(file, error.mark, error.msg);
  }
}

}  // namespace

std::optional<std::string> Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

fs::path XdgDirectory(const char* variable, const char* fallback) {
  // The standard: a relative path there is invalid and to be ignored.
  if (const auto given = Environment(variable); given && given->front() == '/') return *given;
  if (const auto home = Environment("HOME")) return fs::path(*home) / fallback;
  const passwd* user = getpwuid(geteuid());
  return fs::path(user != nullptr ? user->pw_dir : "/") / fallback;
}

absl::StatusOr<Settings> ResolveSettings(const SettingsInput& input) {
  Settings settings;
  const auto home = input.environment("HOME");
  const auto xdg = input.environment("XDG_CONFIG_HOME");
  fs::path base =
      xdg && xdg->front() == '/' ? fs::path(*xdg) : fs::path(home.value_or("/")) / ".config";
  settings.file = base / "gridsweep" / "config.yaml";
  settings.context = input.context;
  if (settings.context.empty()) {
    settings.context = input.environment("GRIDSWEEP_CONTEXT").value_or("");
  }
  const bool asked_for = !settings.context.empty();
  std::error_code ignored;
  settings.file_exists = fs::exists(settings.file, ignored);
  Context context;
  if (settings.file_exists) {
    ASSIGN_OR_RETURN(context, ReadContext(settings.file, settings.context, asked_for));
  } else if (asked_for) {
    return absl::InvalidArgumentError(StrCat("context \"", settings.context,
                                             "\" is asked for, but ", settings.file.string(),
                                             " does not exist"));
  }
  std::optional<std::optional<std::pair<std::string, std::string>>> local;
  const auto choose = [&](const char* flag, const std::string& given, const char* variable,
                          const std::optional<std::string>& in_context,
                          std::string std::pair<std::string, std::string>::*of_local,
                          const char* fallback) -> Setting {
    if (!given.empty()) return {given, StrCat("flag ", flag)};
    if (const auto value = input.environment(variable)) {
      return {*value, StrCat("environment ", variable)};
    }
    if (in_context) return {*in_context, StrCat("context ", settings.context)};
    if (!local) local = input.local_instance();
    if (*local) return {(**local).*of_local, "local instance", true};
    return {fallback, "default"};
  };
  using Pair = std::pair<std::string, std::string>;
  settings.address = choose("--address", input.address, "GRIDSWEEP_ADDRESS", context.address,
                            &Pair::first, kDefaultAddress);
  settings.analysis_address =
      choose("--analysis-address", input.analysis_address, "GRIDSWEEP_ANALYSIS_ADDRESS",
             context.analysis_address, &Pair::second, kDefaultAnalysisAddress);
  return settings;
}

}  // namespace gridsweep::sweepctl

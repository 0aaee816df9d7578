#include "sweepctl/config.h"

#include <absl/strings/ascii.h>
#include <pwd.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::sweepctl {
namespace {

namespace fs = std::filesystem;

// What a context says, by key.
using Context = std::map<std::string, std::string>;

constexpr const char* kContextKeys[] = {"address", "analysis-address", "tls-ca",  "tls-cert",
                                        "tls-key", "token-file",       "insecure"};

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
      if (std::find(std::begin(kContextKeys), std::end(kContextKeys), key) ==
          std::end(kContextKeys)) {
        std::string known;
        for (const char* one : kContextKeys) known += StrCat(known.empty() ? "" : ", ", one);
        return Malformed(file, item.first.Mark(), StrCat("\"", key, "\" is not one of ", known));
      }
      context[key] = key == "insecure" ? (item.second.as<bool>() ? "true" : "false")
                                       : item.second.as<std::string>();
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
  // Empty without a source.
  const auto choose = [&](const std::string& key, const std::string& given) -> Setting {
    if (!given.empty()) return {given, "flag --" + key};
    std::string variable = "GRIDSWEEP_" + absl::AsciiStrToUpper(key);
    std::replace(variable.begin(), variable.end(), '-', '_');
    if (const auto value = input.environment(variable.c_str())) {
      return {*value, "environment " + variable};
    }
    if (const auto found = context.find(key); found != context.end()) {
      return {found->second, "context " + settings.context};
    }
    return {};
  };
  const auto choose_address = [&](const std::string& key, const std::string& given,
                                  std::string std::pair<std::string, std::string>::*of_local,
                                  const char* fallback) {
    Setting chosen = choose(key, given);
    if (!chosen.source.empty()) return chosen;
    if (!local) local = input.local_instance();
    return *local ? Setting{(**local).*of_local, "local instance", true}
                  : Setting{fallback, "default"};
  };
  using Pair = std::pair<std::string, std::string>;
  settings.address = choose_address("address", input.address, &Pair::first, kDefaultAddress);
  settings.analysis_address = choose_address("analysis-address", input.analysis_address,
                                             &Pair::second, kDefaultAnalysisAddress);
  settings.tls_ca = choose("tls-ca", input.tls_ca);
  settings.tls_cert = choose("tls-cert", input.tls_cert);
  settings.tls_key = choose("tls-key", input.tls_key);
  settings.token_file = choose("token-file", input.token_file);
  settings.insecure = choose("insecure", input.insecure ? "true" : "");
  // From a file first; but the environment's token before a context's file.
  const bool file_is_nearer = settings.token_file.source.rfind("flag", 0) == 0 ||
                              settings.token_file.source.rfind("environment", 0) == 0;
  if (const auto token = input.environment("GRIDSWEEP_TOKEN"); token && !file_is_nearer) {
    settings.token = {*token, "environment GRIDSWEEP_TOKEN"};
    settings.token_file = {};
  }
  return settings;
}

ClientSecurity SecurityOf(const Settings& settings) {
  return {
      settings.tls_ca.value,  settings.tls_cert.value,
      settings.tls_key.value, settings.token_file.value,
      settings.token.value,   settings.insecure.value == "1" || settings.insecure.value == "true"};
}

}  // namespace gridsweep::sweepctl

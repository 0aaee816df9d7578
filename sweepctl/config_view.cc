#include "sweepctl/exit_code.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {

void AddConfig(CLI::App& app, Session& session) {
  CLI::App* config =
      AddVerb(app, "config", "Show which servers are used, and why", "sweepctl config view");
  config->require_subcommand(1);
  CLI::App* view = AddVerb(*config, "view", "Each setting with its source", "sweepctl config view");
  session.OnRun(view, [&session]() -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const Settings settings, session.ResolveSettings());
    Listing listing;
    listing.columns = {{"SETTING"}, {"VALUE"}, {"SOURCE"}};
    const auto add = [&](const char* name, const std::string& value, const std::string& source) {
      listing.rows.push_back({Text(name), Text(value), Text(source)});
      listing.items.push_back({{"setting", name}, {"value", value}, {"source", source}});
      listing.names.push_back(name);
    };
    add("address", settings.address.value, settings.address.source);
    add("analysis-address", settings.analysis_address.value, settings.analysis_address.source);
    for (const auto& [name, setting] :
         {std::pair("tls-ca", settings.tls_ca), std::pair("tls-cert", settings.tls_cert),
          std::pair("tls-key", settings.tls_key), std::pair("token-file", settings.token_file),
          std::pair("insecure", settings.insecure)}) {
      if (!setting.source.empty()) add(name, setting.value, setting.source);
    }
    // The secret itself is shown nowhere.
    if (!settings.token.source.empty()) add("token", "(set)", settings.token.source);
    add("context", settings.context, settings.context.empty() ? "none" : settings.file.string());
    add("config-file", settings.file.string(), settings.file_exists ? "read" : "absent");
    session.Print(listing);
    return kDone;
  });
}

}  // namespace gridsweep::sweepctl

#include "sweepctl/session.h"

#include <ostream>

#include "common/printable.h"
#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/local_state.h"

namespace gridsweep::sweepctl {

Format Session::format() const { return ParseFormat(flags_.output).value_or(Format::kAuto); }

void Session::OnRun(CLI::App* verb, Action action) {
  verb->final_callback([this, action = std::move(action)] { action_ = action; });
}

int Session::Run() {
  if (!action_) return kUsage;
  const absl::StatusOr<int> code = action_();
  console_.out.flush();
  // A crash is not hidden behind an answer.
  if (code.ok()) return *code == kDone && found_crash_ ? static_cast<int>(kFailed) : *code;
  // A server that has died is not to be tried again; the report says so, and what to do.
  if (absl::IsUnavailable(code.status()) && ReportCrash()) return kFailed;
  PrintError(console_, code.status());
  return ExitCodeOf(code.status());
}

bool Session::ReportCrash() {
  if (found_crash_) return true;
  const std::string crash = LocalCrash();
  if (crash.empty()) return false;
  console_.err << "sweepctl: " << crash << "\n";
  return found_crash_ = true;
}

absl::StatusOr<Settings> Session::ResolveSettings() const {
  SettingsInput input;
  input.address = flags_.address;
  input.analysis_address = flags_.analysis_address;
  input.context = flags_.context;
  input.tls_ca = flags_.tls_ca;
  input.tls_cert = flags_.tls_cert;
  input.tls_key = flags_.tls_key;
  input.token_file = flags_.token_file;
  input.insecure = flags_.insecure;
  input.environment = Environment;
  input.local_instance = []() -> std::optional<std::pair<std::string, std::string>> {
    const auto state = FindLocalState();
    if (!state) return std::nullopt;
    return std::make_pair(state->address, state->analysis_address);
  };
  return sweepctl::ResolveSettings(input);
}

std::string Session::LocalCrash() const {
  if (!uses_local_instance_) return "";
  const auto state = FindLocalState();
  return state ? CrashReport(*state) : "";
}

absl::StatusOr<Client*> Session::Connect(Need need) {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(const Settings settings, ResolveSettings());
    uses_local_instance_ =
        settings.address.from_local_instance || settings.analysis_address.from_local_instance;
    for (const Setting* address : {&settings.address, &settings.analysis_address}) {
      RETURN_IF_ERROR(CheckSecurity(address->value, SecurityOf(settings)));
    }
    client_ = std::make_unique<Client>(settings, console_, flags_.verbose);
  }
  if (need == Need::kProgress) {
    if (const std::string crash = LocalCrash(); !crash.empty()) return absl::InternalError(crash);
  }
  ReportCrash();
  return client_.get();
}

CLI::App* AddVerb(CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& example) {
  CLI::App* verb = parent.add_subcommand(name, description);
  verb->fallthrough();
  verb->footer("Example:\n  " + example);
  return verb;
}

void PrintError(Console& console, const absl::Status& status) {
  // The message of a refused request already lists its fields, one a line,
  // where our servers made it; other servers' details are added here.
  std::string text(status.message());
  for (const auto& [field, description] : FieldViolations(status)) {
    if (text.find(description) == std::string::npos) {
      text += StrCat("\n", field, ": ", description);
    }
  }
  if (text.empty()) text = absl::StatusCodeToString(status.code());
  console.err << "sweepctl: " << PrintableLines(text) << "\n";
  if (const auto delay = RetryAfter(status)) {
    console.err << "sweepctl: try again in " << Span(absl::ToDoubleSeconds(*delay)) << "\n";
  }
}

}  // namespace gridsweep::sweepctl

// What every verb shares while one command runs: the console, the global
// flags and, once asked for, the connection.
#pragma once

#include <absl/status/statusor.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sweepctl/client.h"
#include "sweepctl/config.h"
#include "sweepctl/console.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {

struct GlobalFlags {
  std::string address, analysis_address, context, output;
  std::string tls_ca, tls_cert, tls_key, token_file;
  bool insecure = false;
  bool header = false;
  bool verbose = false;
};

// What a verb needs of a local instance whose pieces may have died.
enum class Need {
  kRead,      // answers what it can; a crash is reported, and the exit code is 1
  kProgress,  // needs everything, workers too: refuses after a crash
};

class Session {
 public:
  // An exit code, or why there is none.
  using Action = std::function<absl::StatusOr<int>()>;

  explicit Session(Console& console) : console_(console) {}

  Console& console() { return console_; }
  GlobalFlags& flags() { return flags_; }
  Format format() const;
  // Whether people read the output: a table.
  bool prose() const {
    return format() == Format::kTable || format() == Format::kWide ||
           (format() == Format::kAuto && console_.out_terminal);
  }
  void Print(const Listing& listing) {
    sweepctl::Print(console_, format(), flags_.header, listing);
  }

  // `verb` runs `action` when it is the one that was asked for.
  void OnRun(CLI::App* verb, Action action);
  // Runs it; prints its error; returns the exit code.
  int Run();

  absl::StatusOr<Settings> ResolveSettings() const;
  // Channels are lazy: this fails only for a faulty configuration or, by
  // `need`, a local instance that has lost a piece.
  absl::StatusOr<Client*> Connect(Need need = Need::kRead);
  // A report of the local instance's dead pieces, "" when none is dead or
  // another server is in use.
  std::string LocalCrash() const;

 private:
  // Says, once, what the local instance has lost; false where it has lost nothing.
  bool ReportCrash();

  Console& console_;
  GlobalFlags flags_;
  Action action_;
  std::unique_ptr<Client> client_;
  bool uses_local_instance_ = false;
  bool found_crash_ = false;
};

// Adds a verb. `example` ends its --help.
CLI::App* AddVerb(CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& example);

// Prints an error: one line a fault, after "sweepctl: ".
void PrintError(Console& console, const absl::Status& status);

}  // namespace gridsweep::sweepctl

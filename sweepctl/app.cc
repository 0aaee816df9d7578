#include "sweepctl/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "common/strings.h"
#include "sweepspec/suggest.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/session.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

void AddGlobalFlags(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--address", flags.address, "Coordinator: unix:PATH or host:port")
      ->type_name("ADDR");
  app.add_option("--analysis-address", flags.analysis_address, "Analysis: unix:PATH or host:port")
      ->type_name("ADDR");
  app.add_option("--context", flags.context, "Context of the configuration file")
      ->type_name("NAME");
  app.add_option("--tls-ca", flags.tls_ca,
                 "Who signed the servers' certificates (PEM); default: whom this machine trusts")
      ->type_name("FILE");
  app.add_option("--tls-cert", flags.tls_cert, "This client's certificate (PEM)")
      ->type_name("FILE");
  app.add_option("--tls-key", flags.tls_key, "Its private key (PEM)")->type_name("FILE");
  app.add_option("--token-file", flags.token_file, "File with the bearer token")->type_name("FILE");
  app.add_flag("--insecure", flags.insecure, "No TLS beyond this machine");
  app.add_option("-o,--output", flags.output,
                 "Format: table|wide|json|jsonl|yaml|csv|name; by default a table on a terminal, "
                 "tab-separated values in a pipe")
      ->type_name("FORMAT")
      ->check([](const std::string& name) {
        return ParseFormat(name) ? std::string()
                                 : StrCat("\"", name, "\" is not one of ", kFormatNames);
      });
  app.add_flag("--header", flags.header, "Keep the header in a pipe");
  app.add_flag("-v,--verbose", flags.verbose, "Show each call, its status and latency");
}

// The application that the words lead to, and the first word that is not a
// verb where one was needed.
const CLI::App* Deepest(const CLI::App& app, const std::vector<std::string>& args,
                        std::string& stranger) {
  const CLI::App* at = &app;
  bool skip = false;
  for (const std::string& word : args) {
    if (skip) {
      skip = false;
      continue;
    }
    if (word.size() > 1 && word[0] == '-') {
      // A global option's value is not a verb.
      const CLI::Option* option = app.get_option_no_throw(word);
      skip = option != nullptr && option->get_expected_min() > 0;
      continue;
    }
    const auto children = at->get_subcommands([](const CLI::App*) { return true; });
    if (children.empty()) break;
    const auto found = std::find_if(children.begin(), children.end(),
                                    [&](const CLI::App* child) { return child->check_name(word); });
    if (found == children.end()) {
      stranger = word;
      break;
    }
    at = *found;
  }
  return at;
}

// "sweepctl query fraction".
std::string PathOf(const CLI::App& app, const CLI::App& at) {
  if (&at == &app) return "sweepctl";
  return StrCat(PathOf(app, *at.get_parent()), " ", at.get_name());
}

int ReportUsage(const CLI::App& app, const std::vector<std::string>& args,
                const CLI::ParseError& error, Console& console) {
  std::string stranger;
  const CLI::App* at = Deepest(app, args, stranger);
  const std::string path = PathOf(app, *at);
  const auto children = at->get_subcommands([](const CLI::App*) { return true; });
  if (!stranger.empty() && !children.empty()) {
    std::vector<std::string_view> known;
    for (const CLI::App* child : children) {
      known.push_back(child->get_name());
      for (const auto& alias : child->get_aliases()) known.push_back(alias);
    }
    console.err << "sweepctl: \"" << stranger << "\" is not a verb of `" << path << "`";
    if (const std::string_view guess = sweepspec::Nearest(stranger, known); !guess.empty()) {
      console.err << "; did you mean \"" << guess << "\"?";
    }
    console.err << "\n";
  } else {
    console.err << "sweepctl: " << error.what() << "\n";
  }
  console.err << "See `" << path << " --help`.\n";
  return kUsage;
}

}  // namespace

int RunSweepctl(const std::vector<std::string>& args, Console& console) {
  CLI::App app{"Gridsweep: train many path-integration networks, and ask what their units became.",
               "sweepctl"};
  Session session(console);
  AddGlobalFlags(app, session.flags());
  app.require_subcommand(1);
  app.set_version_flag("--version", "sweepctl " GRIDSWEEP_VERSION, "Print the version and exit");
  app.get_formatter()->column_width(30);
  app.footer("Start here:\n  sweepctl local up && sweepctl submit FILE --wait");
  AddLocal(app, session);
  AddValidate(app, session);
  AddSubmit(app, session);
  AddWatch(app, session);
  AddLogs(app, session);
  AddGet(app, session);
  AddDescribe(app, session);
  AddLifecycle(app, session);
  AddWorkers(app, session);
  AddToken(app, session);
  AddArtifacts(app, session);
  AddQuery(app, session);
  AddCompare(app, session);
  AddFigure(app, session);
  AddRatemaps(app, session);
  AddVerify(app, session);
  AddScore(app, session);
  AddTheory(app, session);
  AddMetrics(app, session);
  AddRpc(app, session);
  AddConfig(app, session);
  AddCompletion(app, session);
  AddVersion(app, session);
  AddHelp(app, session);
  try {
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    std::string ignored;
    const CLI::App* verb = Deepest(app, args, ignored);
    console.out << verb->help(verb == &app ? "" : PathOf(app, *verb->get_parent()));
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    console.out << version.what() << "\n";
    return kDone;
  } catch (const CLI::ParseError& error) {
    if (args.empty()) {
      console.err << app.help();
      return kUsage;
    }
    return ReportUsage(app, args, error, console);
  }
  return session.Run();
}

}  // namespace gridsweep::sweepctl

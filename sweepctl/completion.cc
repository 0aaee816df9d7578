#include <absl/strings/str_format.h>

#include <algorithm>
#include <ostream>

#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/fields.h"
#include "sweepctl/output.h"
#include "sweepctl/run_state.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

std::vector<const CLI::App*> Verbs(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_name().empty(); });
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> LongFlags(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// For a pattern of bash.
std::string EscapedSpaces(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == ' ' ? std::string("\\ ") : std::string(1, c);
  return escaped;
}

// One case a verb: its own verbs, flags, and whether it takes files.
void Cases(const CLI::App& app, const CLI::App& root, const std::string& path,
           std::vector<std::pair<std::string, std::string>>& cases) {
  std::vector<std::string> words;
  for (const CLI::App* verb : Verbs(app)) words.push_back(verb->get_name());
  for (const auto& flag : LongFlags(app)) words.push_back(flag);
  if (&app != &root) {
    for (const auto& flag : LongFlags(root)) {
      if (std::find(words.begin(), words.end(), flag) == words.end()) words.push_back(flag);
    }
  }
  cases.emplace_back(path, Join(words));
  for (const CLI::App* verb : Verbs(app)) {
    Cases(*verb, root, path + " " + verb->get_name(), cases);
  }
}

// What an option's value may be, where a list made here says so.
struct Values {
  const char* option;
  std::vector<std::string> words;
  bool list;  // several, joined by commas
};

std::vector<Values> KnownValues() {
  std::vector<std::string> fields, groups, metrics, states;
  for (const FieldHelp& field : FilterFields()) {
    fields.push_back(field.name);
    if (field.groups) groups.push_back(field.name);
  }
  for (const auto& metric : science::Metrics()) metrics.emplace_back(metric.name);
  for (int i = v1::RUN_STATE_PENDING; i <= v1::RunState_MAX; ++i) {
    states.push_back(StateText(static_cast<v1::RunState>(i)));
  }
  return {{"metric", metrics, false},
          {"by", groups, true},
          {"state", states, true},
          {"filter", fields, false},
          {"op", {"gt", "ge", "lt", "le"}, false},
          {"of", {"units", "runs", "runs-any-unit"}, false},
          {"output", {"table", "wide", "json", "jsonl", "yaml", "csv", "name"}, false},
          {"nbins", {"44", "32", "20"}, false},
          {"patterns", {"relu", "tanh", "relu-ordered", "tanh-ordered"}, true},
          {"role", {"read", "submit", "work", "admin"}, false}};
}

std::vector<std::string> Panels() {
  std::vector<std::string> panels;
  for (int i = 1; i <= 12; ++i) panels.push_back(absl::StrFormat("p%02d", i));
  return panels;
}

// Verbs whose words are sweeps, by id or name.
constexpr char kSweepVerbs[] =
    "watch|wait|pause|resume|stop|cancel|retry|delete|verify|describe sweep";

std::string Bash(const CLI::App& root) {
  std::vector<std::pair<std::string, std::string>> cases;
  Cases(root, root, "sweepctl", cases);
  std::string text =
      "# bash completion for sweepctl: source <(sweepctl completion bash)\n"
      "# Sweeps' names are a user's: compared and quoted, never given to compgen, which would run "
      "them.\n"
      "_sweepctl_sweeps() {\n"
      "  local name\n"
      "  while IFS= read -r name; do\n"
      "    [[ -n \"$name\" && \"$name\" == \"$1\"* ]] && COMPREPLY+=(\"$(printf %q \"$name\")\")\n"
      "  done < <(timeout 2 sweepctl get sweeps --limit 1000 2>/dev/null | cut -f1,2 | tr '\\t' "
      "'\\n')\n"
      "}\n"
      "_sweepctl() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" path=sweepctl words previous before= i\n"
      "  previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${COMP_WORDS[i]}\" in\n";
  for (const auto& [path, words] : cases) {
    if (path != "sweepctl") text += StrCat("      \"", path, "\") path=\"", path, "\" ;;\n");
  }
  text +=
      "    esac\n"
      "  done\n"
      "  case \"$previous\" in\n"
      "    --sweep) COMPREPLY=(); _sweepctl_sweeps \"$word\"; return ;;\n"
      "    --out|--data|-f|--file) compopt -o default; COMPREPLY=(); return ;;\n";
  for (const Values& values : KnownValues()) {
    const std::string name =
        StrCat(values.option == std::string("output") ? "-o|" : "", "--", values.option);
    // What stands before the last comma is kept.
    const char* rest = values.list ? "-P \"$before\" -- \"${word##*,}\"" : "-- \"$word\"";
    text += StrCat(
        "    ", name, ") ", values.list ? "[[ \"$word\" == *,* ]] && before=\"${word%,*},\"; " : "",
        "COMPREPLY=($(compgen -W \"", Join(values.words), "\" ", rest, ")); return ;;\n");
  }
  text +=
      "  esac\n"
      "  case \"$path\" in\n";
  for (const auto& [path, words] : cases) {
    text += StrCat("    \"", path, "\") words=\"", words, "\" ;;\n");
  }
  text +=
      "  esac\n"
      "  if [[ \"$path\" =~ ^sweepctl\\ (validate|submit|score|compare\\ recordings)$ && \"$word\" "
      "!= -* ]]; then\n"
      "    compopt -o default; COMPREPLY=(); return\n"
      "  fi\n";
  text += StrCat("  if [[ \"$path\" =~ ^sweepctl\\ (", EscapedSpaces(kSweepVerbs),
                 ")$ && \"$word\" != -* ]]; then\n"
                 "    COMPREPLY=(); _sweepctl_sweeps \"$word\"; return\n"
                 "  fi\n"
                 "  [[ \"$path\" == \"sweepctl figure\" ]] && words=\"",
                 Join(Panels()), " $words\"\n");
  text +=
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "}\n"
      "complete -F _sweepctl sweepctl\n";
  return text;
}

std::string Zsh(const CLI::App& root) {
  return "#compdef sweepctl\n"
         "# zsh completion for sweepctl: source <(sweepctl completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         Bash(root);
}

// A fish string within single quotes.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// " -x -a '...'" for an option whose values are known.
std::string ValuesInFish(const std::string& option) {
  if (option == "sweep") {
    return " -x -a '(sweepctl get sweeps --limit 1000 2>/dev/null | cut -f1,2 | tr \\t \\n)'";
  }
  for (const Values& values : KnownValues()) {
    if (option == values.option) return StrCat(" -x -a ", Quoted(Join(values.words)));
  }
  return "";
}

void FishVerbs(const CLI::App& app, const std::string& condition, std::string& text) {
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      text += StrCat("complete -c sweepctl ", condition, " -l ", name, " -d ",
                     Quoted(option->get_description()), ValuesInFish(name), "\n");
    }
  }
  const auto verbs = Verbs(app);
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
  for (const CLI::App* verb : verbs) {
    const std::string here =
        condition.empty() ? "-n __fish_use_subcommand"
                          : StrCat("-n '__fish_seen_subcommand_from ", app.get_name(),
                                   "; and not __fish_seen_subcommand_from ", Join(names), "'");
    text += StrCat("complete -c sweepctl -f ", here, " -a ", verb->get_name(), " -d ",
                   Quoted(verb->get_description()), "\n");
    FishVerbs(*verb, StrCat("-n '__fish_seen_subcommand_from ", verb->get_name(), "'"), text);
  }
}

std::string Fish(const CLI::App& root) {
  std::string text = "# fish completion for sweepctl: sweepctl completion fish | source\n";
  FishVerbs(root, "", text);
  return text;
}

}  // namespace

void AddCompletion(CLI::App& app, Session& session) {
  CLI::App* verb =
      AddVerb(app, "completion", "Print shell completion", "source <(sweepctl completion bash)");
  auto shell = std::make_shared<std::string>();
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  session.OnRun(verb, [&app, &session, shell]() -> absl::StatusOr<int> {
    session.console().out << (*shell == "bash"  ? Bash(app)
                              : *shell == "zsh" ? Zsh(app)
                                                : Fish(app));
    return kDone;
  });
}

}  // namespace gridsweep::sweepctl

// help [VERB...], help filter.
#include <ostream>

#include "sweepctl/exit_code.h"
#include "sweepctl/fields.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

constexpr char kFilterPage[] =
    R"(A filter selects runs: conditions `FIELD OP VALUE` joined by AND.

  FIELD   one of the list below; `-o wide` has their values. BY: --by takes it too
  OP      = != for all; < <= > >= for numbers and widths
  VALUE   a word or a number, or text in quotes: "DoS multi-scale"

A condition on a value that a run does not have does not hold; so a filter on a
metric leaves finished runs alone. Names of choices and states are read in any
case; text must be equal, letter by letter. Widths that are distributions are
compared with < and its kin by their whole range, with = by their text. There
is no OR, IN or bracket; units cannot be selected by their own metrics.

  --filter 'decoding_error_cm < 10 AND activation = relu'
  --filter 'readout = "DoS multi-scale" AND place_cell_rf <= 0.2'
  --filter 'state = succeeded AND reused = false'

)";

absl::StatusOr<int> Help(Session& session, const CLI::App& app,
                         const std::vector<std::string>& words) {
  std::ostream& out = session.console().out;
  if (words == std::vector<std::string>{"filter"}) {
    Listing listing;
    listing.columns = {{"FIELD"}, {"BY"}, {"MEANING"}, {"VALUES", false, true}};
    for (const FieldHelp& field : FilterFields()) {
      listing.rows.push_back({Text(field.name), Text(field.groups ? "yes" : ""),
                              Text(field.meaning), Text(field.values)});
      listing.names.push_back(field.name);
      listing.items.push_back({{"field", field.name},
                               {"groups", field.groups},
                               {"values", field.values},
                               {"meaning", field.meaning}});
    }
    // The page goes with the table, into a pager too, not with what programs ask for.
    const Format format = session.format() == Format::kAuto ? Format::kTable : session.format();
    if (format == Format::kTable || format == Format::kWide) out << kFilterPage;
    Print(session.console(), format, session.flags().header, listing);
    return kDone;
  }
  const CLI::App* verb = &app;
  std::string path = "sweepctl", above;
  for (const std::string& word : words) {
    const CLI::App* next = nullptr;
    for (const CLI::App* child : verb->get_subcommands([](const CLI::App*) { return true; })) {
      if (child->check_name(word)) next = child;
    }
    if (next == nullptr) {
      return UsageError("\"" + word + "\" is not a verb of `" + path +
                        "`; the other page is `sweepctl help filter`");
    }
    verb = next;
    above = path;
    path += " " + verb->get_name();
  }
  out << verb->help(above);
  return kDone;
}

}  // namespace

void AddHelp(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "help", "Print the help of a verb, or what filters may say",
                           "sweepctl help filter\n  sweepctl help query fraction");
  auto words = std::make_shared<std::vector<std::string>>();
  verb->add_option("WHAT", *words, "filter, or a verb; nothing for all verbs");
  session.OnRun(verb, [&app, &session, words] { return Help(session, app, *words); });
}

}  // namespace gridsweep::sweepctl

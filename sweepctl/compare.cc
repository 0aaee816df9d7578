#include <absl/strings/str_format.h>

#include <cmath>
#include <ostream>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

using Response = v1::ComparePublishedResponse;

struct Options {
  SelectionFlags where;
  bool claims = false;
};

// "12/15 0.800 [0.55, 0.93]" for people, the fraction for programs.
Cell ShareCell(const Response::Share& share) {
  if (share.denominator() == 0) return Missing();
  Cell cell = Real(share.fraction(), 3);
  cell.text =
      absl::StrFormat("%d/%d %.3f", share.numerator(), share.denominator(), share.fraction());
  if (share.has_interval()) {
    cell.text += absl::StrFormat(" [%.2f, %.2f]", share.interval().low(), share.interval().high());
  }
  return cell;
}

Cell PublishedCell(bool has, double value) { return has ? Real(value, 3) : Missing(); }

std::string VerdictText(v1::ClaimVerdict verdict) {
  switch (verdict) {
    case v1::CLAIM_VERDICT_HOLDS:
      return "holds";
    case v1::CLAIM_VERDICT_FAILS:
      return "fails";
    default:
      return "undecided";
  }
}

Listing Families(const Response& response) {
  Listing listing;
  listing.columns = {{"READOUT FAMILY"},
                     {"RUNS", true},
                     {"SOLVED"},
                     {"PUBLISHED", true, false, "published_solved"},
                     {"HAS GRID"},
                     {"PUBLISHED", true, false, "published_has_grid"},
                     {"UNITS > 0.8", false, false, "units_above_0.8"},
                     {"BY CHANCE", true},
                     {"UNTRAINED", true},
                     {"PUBLISHED", true, false, "published_units_above_0.8"},
                     {"CANNOT TELL"},
                     {"PUBLISHED RUNS", true, true}};
  for (const auto& family : response.families()) {
    listing.rows.push_back(
        {Text(family.readout_family()), Integer(family.coverage().finished()),
         ShareCell(family.solved()),
         PublishedCell(family.solved().has_published(), family.solved().published()),
         ShareCell(family.has_grid()),
         PublishedCell(family.has_grid().has_published(), family.has_grid().published()),
         ShareCell(family.units_above()),
         family.has_chance_above() ? Real(family.chance_above(), 4) : Missing(),
         family.has_untrained_above() ? Real(family.untrained_above(), 4) : Missing(),
         PublishedCell(family.units_above().has_published(), family.units_above().published()),
         ShareCell(family.decoder_cannot_tell()),
         family.published_runs() > 0 ? Integer(family.published_runs()) : Missing()});
    listing.names.push_back(family.readout_family());
    listing.items.push_back(ToJson(family));
  }
  return listing;
}

Listing Claims(const Response& response) {
  Listing listing;
  listing.columns = {{"CLAIM"},   {"VERDICT"},         {"OURS"},
                     {"AGAINST"}, {"PUBLISHED", true}, {"RULE", false, true}};
  for (const auto& claim : response.claims()) {
    listing.rows.push_back({Text(claim.id()), Text(VerdictText(claim.verdict())),
                            ShareCell(claim.ours()), ShareCell(claim.other()),
                            PublishedCell(claim.has_published(), claim.published()),
                            Text(claim.rule())});
    listing.names.push_back(claim.id());
    listing.items.push_back(ToJson(claim));
  }
  return listing;
}

absl::StatusOr<int> Compare(Session& session, const Options& options) {
  v1::ComparePublishedRequest request;
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(*request.mutable_where(), MakeSelection(*client, options.where));
  ASSIGN_OR_RETURN(const Response response,
                   client->Call(client->analysis(), &v1::AnalysisService::Stub::ComparePublished,
                                request, absl::Minutes(5)));
  Listing families = Families(response), claims = Claims(response);
  families.document = claims.document = ToJson(response);
  Console& console = session.console();
  if (session.prose()) {
    session.Print(families);
    console.out << "\n";
    session.Print(claims);
    console.out << "\n";
    for (const auto& claim : response.claims()) {
      console.out << absl::StrFormat("%-30s %s\n", claim.id(), claim.statement());
    }
    console.err
        << "Solved: decoding error < 10 cm. Has grid: of those, a unit of 1,024 with grid "
           "score > 0.8. By chance, untrained: units > 0.8 of shuffled maps and of untrained "
           "networks, mean over runs. 95% intervals.\nRules: docs/claims.md, and -o wide.\n";
  } else {
    session.Print(options.claims ? claims : families);
  }
  for (const auto& note : response.notes()) console.err << "note: " << note << "\n";
  std::vector<v1::Coverage> coverages;
  for (const auto& family : response.families()) coverages.push_back(family.coverage());
  PrintCoverage(console, coverages);
  return kDone;
}

}  // namespace

void AddCompare(CLI::App& app, Session& session) {
  CLI::App* compare = AddVerb(app, "compare", "Set results beside published or recorded ones",
                              "sweepctl compare published --sweep p01-small");
  compare->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* published =
      AddVerb(*compare, "published",
              "Our fractions beside the poster's, and a verdict on each of its claims",
              "sweepctl compare published --sweep p01-small -o wide");
  AddSelectionFlags(*published, options->where, false);
  published->add_flag("--claims", options->claims,
                      "In csv and pipes: the claims instead of the readout families");
  session.OnRun(published, [&session, options] { return Compare(session, *options); });
  AddComparePredictivity(*compare, session);
  AddCompareRecordings(*compare, session);
}

}  // namespace gridsweep::sweepctl

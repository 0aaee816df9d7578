#include <absl/strings/str_format.h>

#include <ostream>

#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

using Response = v1::NeuralPredictivityResponse;

struct Options {
  SelectionFlags where;
  bool correlations = false;
};

// "8.80 +- 0.41 (5)" for people, the mean for programs.
Cell MeanCell(const v1::MeanOverRuns& mean) {
  if (!mean.has_mean()) return Missing();
  Cell cell = Real(mean.mean(), 2);
  if (mean.has_sem()) cell.text += absl::StrFormat(" ± %.2f", mean.sem());
  cell.text += absl::StrFormat(" (%d)", mean.n());
  return cell;
}

void AddSide(std::vector<Cell>& cells, const Response::Side& side) {
  cells.push_back(MeanCell(side.ours()));
  cells.push_back(side.ours().has_sem() ? Real(side.ours().sem()) : Missing());
  cells.push_back(Integer(side.ours().n()));
  cells.push_back(side.has_published() ? Real(side.published(), 2) : Missing());
}

Listing Networks(const Response& response) {
  Listing listing;
  listing.columns = {{"NETWORK"}, {"ACTIVATION"}};
  for (const std::string side : {"TRAINED", "UNTRAINED"}) {
    listing.columns.push_back({"PR " + side, true});
    listing.columns.push_back({"SEM " + side, true, true});
    listing.columns.push_back({"RUNS " + side, true, true});
    listing.columns.push_back({"PUBLISHED " + side, true});
  }
  for (const auto& row : response.rows()) {
    std::vector<Cell> cells = {Text(row.rnn_type()), Text(row.activation())};
    AddSide(cells, row.trained());
    AddSide(cells, row.untrained());
    listing.rows.push_back(std::move(cells));
    listing.names.push_back(StrCat(row.rnn_type(), ",", row.activation()));
    listing.items.push_back(ToJson(row));
  }
  return listing;
}

Cell CoefficientCell(bool has, double value, bool has_interval, const v1::Interval& interval) {
  return has ? WithInterval(value, has_interval, interval) : Missing();
}

Listing Correlations(const Response& response) {
  Listing listing;
  listing.columns = {{"CORRELATION"}, {"NETWORKS", true}, {"PEARSON"}, {"SPEARMAN"}};
  for (const auto& c : response.correlations()) {
    listing.rows.push_back({Text(c.of()), Integer(c.n()),
                            CoefficientCell(c.has_pearson(), c.pearson(), c.has_pearson_interval(),
                                            c.pearson_interval()),
                            CoefficientCell(c.has_spearman(), c.spearman(),
                                            c.has_spearman_interval(), c.spearman_interval())});
    listing.names.push_back(c.of());
    listing.items.push_back(ToJson(c));
  }
  return listing;
}

absl::StatusOr<int> Compare(Session& session, const Options& options) {
  v1::NeuralPredictivityRequest request;
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(*request.mutable_where(), MakeSelection(*client, options.where));
  ASSIGN_OR_RETURN(const Response response,
                   client->Call(client->analysis(), &v1::AnalysisService::Stub::NeuralPredictivity,
                                request, absl::Minutes(2)));
  Listing networks = Networks(response), correlations = Correlations(response);
  networks.document = correlations.document = ToJson(response);
  Console& console = session.console();
  if (session.prose()) {
    session.Print(networks);
    console.out << "\n";
    session.Print(correlations);
    console.err << "PR: " << BasisText(response.basis())
                << " Mean ± s.e.m. over runs (their number); untrained: n_epochs 0. Published: "
                   "neural predictivity, "
                << response.published_source()
                << ".\nCorrelations: of PR and published, each network and activation once; at "
                   "least four; 95% intervals by Fisher's z.\n";
  } else {
    session.Print(options.correlations ? correlations : networks);
  }
  std::vector<v1::Coverage> coverages;
  for (const auto& row : response.rows()) {
    coverages.push_back(row.trained().coverage());
    coverages.push_back(row.untrained().coverage());
  }
  PrintCoverage(console, coverages);
  return kDone;
}

}  // namespace

void AddComparePredictivity(CLI::App& compare, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      AddVerb(compare, "predictivity",
              "The ratemaps' participation ratio beside published neural predictivity, by network",
              "sweepctl compare predictivity --sweep p11-small --filter 'activation = relu'");
  AddSelectionFlags(*verb, options->where, false);
  verb->add_flag("--correlations", options->correlations,
                 "In csv and pipes: the correlations instead of the networks");
  session.OnRun(verb, [&session, options] { return Compare(session, *options); });
}

}  // namespace gridsweep::sweepctl

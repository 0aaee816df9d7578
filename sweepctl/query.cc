#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <cmath>
#include <ostream>
#include <set>

#include "common/group_value.h"
#include "common/strings.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/selection.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

struct Options {
  SelectionFlags where;
  std::string metric = "grid_score_60";
  std::string op = "gt";
  std::string of;
  std::optional<double> threshold;
  std::vector<double> quantiles;
};

absl::StatusOr<v1::Comparison> ParseComparison(const std::string& text) {
  if (text == "gt" || text == ">") return v1::COMPARISON_GT;
  if (text == "ge" || text == ">=") return v1::COMPARISON_GE;
  if (text == "lt" || text == "<") return v1::COMPARISON_LT;
  if (text == "le" || text == "<=") return v1::COMPARISON_LE;
  return UsageError(StrCat("--op: \"", text, "\" is not one of gt, ge, lt, le, >, >=, <, <="));
}

absl::StatusOr<v1::Population> ParsePopulation(const std::string& text) {
  if (text.empty()) return v1::POPULATION_UNSPECIFIED;
  if (text == "units") return v1::POPULATION_UNITS;
  if (text == "runs") return v1::POPULATION_RUNS;
  if (text == "runs-any-unit") return v1::POPULATION_RUNS_ANY_UNIT;
  return UsageError(StrCat("--of: \"", text, "\" is not one of units, runs, runs-any-unit"));
}

// Without --by there is one row, which then needs a name.
void AddKeyColumns(Listing& listing, const std::vector<std::string>& by) {
  for (const auto& field : by) listing.columns.push_back({field});
  if (by.empty()) listing.columns.push_back({"GROUP"});
}

std::vector<Cell> KeyCells(const v1::Group& group, const std::vector<std::string>& by) {
  std::vector<Cell> cells;
  for (const auto& value : group.key()) cells.push_back(Text(GroupValueText(value)));
  if (by.empty()) cells = {Text("all")};
  cells.resize(std::max<size_t>(1, by.size()), Missing());
  return cells;
}

std::string KeyName(const std::vector<Cell>& cells) {
  std::string name;
  for (const auto& cell : cells) name += (name.empty() ? "" : ",") + cell.text;
  return name;
}

absl::StatusOr<int> Fraction(Session& session, const Options& options) {
  v1::FractionRequest request;
  ASSIGN_OR_RETURN(const v1::Comparison op, ParseComparison(options.op));
  ASSIGN_OR_RETURN(const v1::Population of, ParsePopulation(options.of));
  request.set_op(op);
  request.set_of(of);
  request.set_metric(options.metric);
  if (options.threshold) request.set_threshold(*options.threshold);
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(*request.mutable_where(), MakeSelection(*client, options.where));
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->analysis(), &v1::AnalysisService::Stub::Fraction, request,
                                absl::Minutes(2)));
  const std::vector<std::string>& by = options.where.by;
  Listing listing;
  AddKeyColumns(listing, by);
  for (const char* title : {"N", "PASS", "FRACTION", "LOW", "HIGH", "RUNS", "NULLS"}) {
    listing.columns.push_back({title, true});
  }
  listing.columns.push_back({"METHOD", false, true});
  listing.columns.push_back({"EFFECTIVE N", true, true});
  listing.when_empty = "Nothing matches the selection.";
  std::vector<v1::Coverage> coverages;
  for (const auto& row : response.rows()) {
    const bool interval = row.has_interval();
    const double none = std::nan("");
    std::vector<Cell> cells = KeyCells(row.group(), by);
    listing.names.push_back(KeyName(cells));
    for (const Cell& cell :
         {Integer(row.denominator()), Integer(row.numerator()), Real(row.fraction(), 4),
          Real(interval ? row.interval().low() : none, 4),
          Real(interval ? row.interval().high() : none, 4),
          Integer(row.group().coverage().selected_runs()), Integer(row.group().coverage().nulls()),
          Text(row.interval().method()),
          interval ? Real(row.interval().effective_n(), 1) : Missing()}) {
      cells.push_back(cell);
    }
    listing.rows.push_back(std::move(cells));
    listing.items.push_back(ToJson(row));
    coverages.push_back(row.group().coverage());
  }
  listing.document = ToJson(response);
  session.Print(listing);
  if (session.console().err_terminal || session.console().out_terminal) {
    static constexpr const char* kSigns[] = {">", ">", ">=", "<", "<="};
    session.console().err << response.basis().metric() << " " << kSigns[op] << " "
                          << absl::StrFormat("%g", options.threshold.value_or(0.8)) << ". "
                          << BasisText(response.basis()) << "\n";
    std::set<std::string> methods;
    for (const auto& row : response.rows()) {
      if (row.has_interval()) methods.insert(row.interval().method());
    }
    if (!methods.empty()) {
      session.console().err << "Intervals: " << absl::StrJoin(methods, "; ") << ".\n";
    }
  }
  PrintCoverage(session.console(), coverages);
  return kDone;
}

absl::StatusOr<int> Summary(Session& session, const Options& options) {
  v1::SummarizeRequest request;
  request.set_metric(options.metric);
  for (const double q : options.quantiles) request.add_quantiles(q);
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  ASSIGN_OR_RETURN(*request.mutable_where(), MakeSelection(*client, options.where));
  ASSIGN_OR_RETURN(const auto response,
                   client->Call(client->analysis(), &v1::AnalysisService::Stub::Summarize, request,
                                absl::Minutes(2)));
  const std::vector<std::string>& by = options.where.by;
  Listing listing;
  AddKeyColumns(listing, by);
  for (const char* title : {"N", "MEAN", "MIN"}) listing.columns.push_back({title, true});
  for (const double q : response.quantiles()) {
    listing.columns.push_back({absl::StrFormat("Q%g", q), true});
  }
  for (const char* title : {"MAX", "RUNS", "NULLS"}) listing.columns.push_back({title, true});
  listing.when_empty = "Nothing matches the selection.";
  std::vector<v1::Coverage> coverages;
  for (const auto& row : response.rows()) {
    std::vector<Cell> cells = KeyCells(row.group(), by);
    listing.names.push_back(KeyName(cells));
    cells.push_back(Integer(row.count()));
    cells.push_back(row.has_mean() ? Real(row.mean()) : Missing());
    cells.push_back(row.has_min() ? Real(row.min()) : Missing());
    for (int i = 0; i < response.quantiles_size(); ++i) {
      cells.push_back(i < row.quantiles_size() ? Real(row.quantiles(i)) : Missing());
    }
    cells.push_back(row.has_max() ? Real(row.max()) : Missing());
    cells.push_back(Integer(row.group().coverage().selected_runs()));
    cells.push_back(Integer(row.group().coverage().nulls()));
    listing.rows.push_back(std::move(cells));
    listing.items.push_back(ToJson(row));
    coverages.push_back(row.group().coverage());
  }
  listing.document = ToJson(response);
  session.Print(listing);
  if (session.console().err_terminal || session.console().out_terminal) {
    session.console().err << response.basis().metric() << ". " << BasisText(response.basis())
                          << "\n";
  }
  PrintCoverage(session.console(), coverages);
  return kDone;
}

}  // namespace

void AddQuery(CLI::App& app, Session& session) {
  CLI::App* query = AddVerb(app, "query", "Ask about results: fractions and summaries by group",
                            "sweepctl query fraction --sweep 3 --by readout");
  query->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* fraction =
      AddVerb(*query, "fraction", "The fraction of units (or runs) that pass a threshold",
              "sweepctl query fraction --sweep 3 --by readout,activation --metric grid_score_60 "
              "--threshold 0.8 --filter 'decoding_error_cm < 10'");
  AddSelectionFlags(*fraction, options->where, true);
  fraction->add_option("--metric", options->metric, "See `sweepctl metrics`")
      ->type_name("NAME")
      ->capture_default_str();
  fraction->add_option("--threshold", options->threshold, "Default 0.8")->type_name("X");
  fraction->add_option("--op", options->op, "gt, ge, lt or le")
      ->type_name("OP")
      ->capture_default_str();
  fraction->add_option("--of", options->of, "units, runs or runs-any-unit; by the metric's level")
      ->type_name("WHAT");
  session.OnRun(fraction, [&session, options] { return Fraction(session, *options); });
  CLI::App* summary = AddVerb(*query, "summary", "Count, mean, extremes and quantiles of a metric",
                              "sweepctl query summary --metric decoding_error_cm --by readout");
  AddSelectionFlags(*summary, options->where, true);
  summary->add_option("--metric", options->metric, "See `sweepctl metrics`")
      ->type_name("NAME")
      ->capture_default_str();
  summary->add_option("--quantiles", options->quantiles, "For example 0.1,0.5,0.9")
      ->type_name("Q")
      ->expected(1)
      ->take_all()
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0));
  session.OnRun(summary, [&session, options] { return Summary(session, *options); });
}

}  // namespace gridsweep::sweepctl

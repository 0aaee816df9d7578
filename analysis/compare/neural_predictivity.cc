#include "analysis/compare/neural_predictivity.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/compare/correlation.h"
#include "analysis/compare/published.h"
#include "analysis/queries/basis.h"
#include "analysis/queries/run_means.h"
#include "common/status.h"

namespace gridsweep::analysis {
namespace {

using Response = v1::NeuralPredictivityResponse;
using Network = std::pair<std::string, std::string>;  // rnn_type, activation

std::map<Network, CoveredMean> MeansByNetwork(Snapshot& snapshot, const Selection& selection,
                                              const science::Metric& metric) {
  std::map<Network, CoveredMean> means;
  for (CoveredMean& row : ReadRunMeans(snapshot, selection, metric)) {
    means[{row.group.key(0).text(), row.group.key(1).text()}] = std::move(row);
  }
  return means;
}

void Fill(Response::Side& side, const std::map<Network, CoveredMean>& means,
          const Network& network) {
  side.mutable_ours()->set_n(0);
  const auto found = means.find(network);
  if (found == means.end()) return;
  *side.mutable_ours() = found->second.mean;
  *side.mutable_coverage() = found->second.group.coverage();
}

// Over the rows with both numbers.
Response::Correlation Correlate(const Response& response, const std::string& of,
                                const Response::Side& (Response::Row::*side)() const) {
  std::vector<std::pair<double, double>> pairs;
  for (const auto& row : response.rows()) {
    const Response::Side& numbers = (row.*side)();
    if (numbers.has_published() && numbers.ours().has_mean()) {
      pairs.emplace_back(numbers.ours().mean(), numbers.published());
    }
  }
  auto correlation = CorrelationOf(pairs);
  correlation.set_of(of);
  return correlation;
}

}  // namespace

absl::StatusOr<PredictivityQuestion> ParsePredictivity(
    const v1::NeuralPredictivityRequest& request) {
  if (!request.where().group_by().empty()) {
    return InvalidField("where.group_by", "must be empty: networks and activations are the groups");
  }
  const auto narrowed = [&](const char* epochs) {
    v1::Selection where = Narrowed(request.where(), epochs);
    where.add_group_by("rnn_type");
    where.add_group_by("activation");
    return where;
  };
  RETURN_IF_ERROR(ParseSelection(request.where(), "where").status());
  PredictivityQuestion question;
  ASSIGN_OR_RETURN(question.trained, ParseSelection(narrowed("n_epochs > 0"), "where"));
  ASSIGN_OR_RETURN(question.untrained, ParseSelection(narrowed("n_epochs = 0"), "where"));
  return question;
}

absl::StatusOr<v1::NeuralPredictivityResponse> AnswerPredictivity(
    Snapshot& snapshot, const PredictivityQuestion& question) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, question.trained, "where"));
  ASSIGN_OR_RETURN(const auto* metric, ResolveMetric("participation_ratio_ratemaps", "metric"));
  const auto trained = MeansByNetwork(snapshot, question.trained, *metric);
  const auto untrained = MeansByNetwork(snapshot, question.untrained, *metric);

  Response response;
  *response.mutable_basis() = MakeBasis(snapshot, *metric, "runs");
  response.set_published_source(std::string(kPredictivitySource));
  std::map<Network, const PublishedPredictivity*> published;
  std::vector<Network> order;
  for (const PublishedPredictivity& row : PublishedPredictivities()) {
    order.emplace_back(row.rnn_type, row.activation);
    published[order.back()] = &row;
  }
  for (const auto* means : {&trained, &untrained}) {
    for (const auto& [network, mean] : *means) {
      if (published.emplace(network, nullptr).second) order.push_back(network);
    }
  }
  for (const Network& network : order) {
    auto& row = *response.add_rows();
    row.set_rnn_type(network.first);
    row.set_activation(network.second);
    Fill(*row.mutable_trained(), trained, network);
    Fill(*row.mutable_untrained(), untrained, network);
    if (const PublishedPredictivity* values = published[network]) {
      row.mutable_trained()->set_published(values->trained);
      row.mutable_untrained()->set_published(values->untrained);
    }
  }
  *response.add_correlations() = Correlate(response, "trained", &Response::Row::trained);
  *response.add_correlations() = Correlate(response, "untrained", &Response::Row::untrained);
  return response;
}

}  // namespace gridsweep::analysis

#include "analysis/figures/ask.h"

#include <charconv>
#include <cmath>

#include "analysis/queries/fraction.h"
#include "analysis/queries/selection.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {
namespace {

constexpr double kGridScore = 0.8;
constexpr int64_t kMostGridUnits = 200'000;

v1::Selection Grouped(const FigureSource& source, std::string_view filter, const Names& group_by) {
  v1::Selection where = Narrowed(source.where, filter);
  for (const auto& field : group_by) where.add_group_by(field);
  return where;
}

}  // namespace

absl::StatusOr<std::vector<v1::FractionResponse::Row>> AskShare(FigureSource& source,
                                                                std::string_view filter,
                                                                const Names& group_by,
                                                                const ShareOf& share) {
  v1::FractionRequest request;
  *request.mutable_where() = Grouped(source, filter, group_by);
  request.set_metric(std::string(share.metric));
  request.set_op(share.op);
  request.set_threshold(share.threshold);
  ASSIGN_OR_RETURN(const FractionQuestion question, ParseFraction(request));
  ASSIGN_OR_RETURN(const v1::FractionResponse response, AnswerFraction(source.snapshot, question));
  std::vector<v1::FractionResponse::Row> rows;
  for (const auto& row : response.rows()) {
    if (row.denominator() > 0) rows.push_back(row);
  }
  return rows;
}

absl::StatusOr<std::vector<ScoreBins>> AskScoreBins(FigureSource& source, std::string_view filter,
                                                    const Names& group_by,
                                                    std::string_view metric) {
  ASSIGN_OR_RETURN(const Selection selection,
                   ParseSelection(Grouped(source, filter, group_by), "where"));
  ASSIGN_OR_RETURN(auto histograms,
                   ReadScoreBins(source.snapshot, selection, *science::FindMetric(metric)));
  std::erase_if(histograms, [](const ScoreBins& h) { return h.group.coverage().units() == 0; });
  return histograms;
}

absl::StatusOr<std::vector<UnitValues>> AskGridUnits(FigureSource& source, std::string_view filter,
                                                     const Names& group_by,
                                                     const std::vector<std::string_view>& metrics) {
  ASSIGN_OR_RETURN(const Selection selection,
                   ParseSelection(Grouped(source, filter, group_by), "where"));
  return ReadUnitsAbove(source.snapshot, selection, kGridScore, metrics, kMostGridUnits);
}

absl::StatusOr<v1::Coverage> AskCoverage(FigureSource& source, std::string_view filter) {
  ASSIGN_OR_RETURN(const Selection selection, ParseSelection(Grouped(source, filter, {}), "where"));
  RETURN_IF_ERROR(CheckSweepsExist(source.snapshot, selection, "where"));
  const auto groups = ReadCoverage(source.snapshot, selection);
  return groups.empty() ? v1::Coverage() : groups[0].group.coverage();
}

double NumberOf(const v1::GroupValue& value) {
  if (value.value_case() == v1::GroupValue::kNumber) return value.number();
  double number = NAN;
  const std::string text = GroupValueText(value);
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end) return NAN;
  return number;
}

std::string CountText(int64_t runs, int64_t units) {
  return StrCat(WithCommas(runs), runs == 1 ? " run, " : " runs, ", WithCommas(units),
                units == 1 ? " unit" : " units");
}

std::string CoverageText(const v1::Coverage& coverage) {
  std::string rest;
  const auto add = [&](int64_t n, const char* what) {
    if (n > 0) rest += StrCat(rest.empty() ? " (" : ", ", WithCommas(n), " ", what);
  };
  add(coverage.diverged(), "diverged");
  add(coverage.failed(), "failed");
  add(coverage.cancelled(), "cancelled");
  add(coverage.running(), "running");
  add(coverage.pending(), "pending");
  return StrCat("N: ", WithCommas(coverage.finished()), " of ", WithCommas(coverage.runs_total()),
                " runs are finished", rest, rest.empty() ? "." : ").");
}

}  // namespace gridsweep::analysis

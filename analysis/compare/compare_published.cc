#include "analysis/compare/compare_published.h"

#include <map>
#include <string>
#include <vector>

#include "analysis/compare/claims.h"
#include "analysis/compare/published.h"
#include "analysis/queries/fraction.h"
#include "analysis/queries/selection.h"
#include "analysis/queries/summarize.h"
#include "analysis/queries/training_length.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr int64_t kPublishedSteps = 200'000;  // 20 epochs of 10,000

using ByFamily = std::map<std::string, v1::FractionResponse::Row>;

absl::StatusOr<v1::FractionResponse> Ask(Snapshot& snapshot, const v1::Selection& where,
                                         const Claim::Share& share) {
  v1::FractionRequest request;
  *request.mutable_where() = Narrowed(where, share.filter);
  request.set_metric(std::string(share.metric));
  request.set_op(share.op);
  request.set_threshold(share.threshold);
  ASSIGN_OR_RETURN(const FractionQuestion question, ParseFraction(request));
  return AnswerFraction(snapshot, question);
}

std::string FamilyOf(const v1::Group& group) {
  return group.key_size() > 0 ? group.key(0).text() : "";
}

absl::StatusOr<ByFamily> AskByFamily(Snapshot& snapshot, v1::Selection where,
                                     const Claim::Share& share) {
  where.add_group_by("readout_family");
  ASSIGN_OR_RETURN(const v1::FractionResponse response, Ask(snapshot, where, share));
  ByFamily rows;
  for (const auto& row : response.rows()) rows[FamilyOf(row.group())] = row;
  return rows;
}

std::optional<v1::Interval> IntervalOf(const v1::FractionResponse::Row& row) {
  return row.has_interval() ? std::optional(row.interval()) : std::nullopt;
}

void Fill(v1::ComparePublishedResponse::Share& share, const v1::FractionResponse::Row& row) {
  share.set_numerator(row.numerator());
  share.set_denominator(row.denominator());
  share.set_fraction(row.fraction());
  if (row.has_interval()) *share.mutable_interval() = row.interval();
}

// Means over the runs that have the metric.
absl::StatusOr<std::map<std::string, double>> MeanByFamily(Snapshot& snapshot,
                                                           const v1::Selection& where,
                                                           std::string_view metric) {
  v1::SummarizeRequest request;
  *request.mutable_where() = where;
  request.mutable_where()->add_group_by("readout_family");
  request.set_metric(std::string(metric));
  ASSIGN_OR_RETURN(const SummarizeQuestion question, ParseSummarize(request));
  ASSIGN_OR_RETURN(const v1::SummarizeResponse response, AnswerSummarize(snapshot, question));
  std::map<std::string, double> means;
  for (const auto& row : response.rows()) {
    if (row.has_mean()) means[FamilyOf(row.group())] = row.mean();
  }
  return means;
}

// The answer without groups: one row, or none where nothing is selected.
v1::FractionResponse::Row Only(const v1::FractionResponse& response) {
  return response.rows_size() > 0 ? response.rows(0) : v1::FractionResponse::Row();
}

absl::Status AddFamilies(Snapshot& snapshot, const v1::Selection& where,
                         v1::ComparePublishedResponse& response) {
  constexpr std::string_view kSolved = "decoding_error_cm < 10";
  ASSIGN_OR_RETURN(ByFamily solved,
                   AskByFamily(snapshot, where, {"decoding_error_cm", v1::COMPARISON_LT, 10, ""}));
  ASSIGN_OR_RETURN(ByFamily cannot_tell,
                   AskByFamily(snapshot, where, {"pos_err_target", v1::COMPARISON_GE, 10, ""}));
  ASSIGN_OR_RETURN(
      ByFamily has_grid,
      AskByFamily(snapshot, where, {"max_score_60_1024", v1::COMPARISON_GT, 0.8, kSolved}));
  ASSIGN_OR_RETURN(ByFamily units,
                   AskByFamily(snapshot, where, {"grid_score_60", v1::COMPARISON_GT, 0.8, ""}));
  ASSIGN_OR_RETURN(const auto chance, MeanByFamily(snapshot, where, "chance_fraction_above_080"));
  ASSIGN_OR_RETURN(const auto untrained,
                   MeanByFamily(snapshot, where, "untrained_fraction_above_080"));
  std::vector<std::string> order;
  for (const PublishedFamily& family : PublishedFamilies()) {
    order.emplace_back(family.readout_family);
  }
  for (const auto& [family, row] : solved) {
    if (FindPublished(family) == nullptr) order.push_back(family);
  }
  for (const std::string& name : order) {
    auto& family = *response.add_families();
    family.set_readout_family(name);
    if (const auto found = solved.find(name); found != solved.end()) {
      *family.mutable_coverage() = found->second.group().coverage();
    }
    Fill(*family.mutable_solved(), solved[name]);
    Fill(*family.mutable_has_grid(), has_grid[name]);
    Fill(*family.mutable_units_above(), units[name]);
    Fill(*family.mutable_decoder_cannot_tell(), cannot_tell[name]);
    if (const auto found = chance.find(name); found != chance.end()) {
      family.set_chance_above(found->second);
    }
    if (const auto found = untrained.find(name); found != untrained.end()) {
      family.set_untrained_above(found->second);
    }
    if (const PublishedFamily* published = FindPublished(name)) {
      family.set_published_runs(published->runs);
      family.mutable_solved()->set_published(published->solved);
      family.mutable_has_grid()->set_published(published->has_grid);
      if (published->units_above) {
        family.mutable_units_above()->set_published(*published->units_above);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AddClaim(Snapshot& snapshot, const v1::Selection& where, const Claim& claim,
                      v1::ComparePublishedResponse& response) {
  auto& out = *response.add_claims();
  out.set_id(std::string(claim.id));
  out.set_statement(std::string(claim.statement));
  out.set_rule(RuleOf(claim));
  if (claim.published) out.set_published(*claim.published);
  ASSIGN_OR_RETURN(const v1::FractionResponse answer, Ask(snapshot, where, claim.share));
  const v1::FractionResponse::Row row = Only(answer);
  Fill(*out.mutable_ours(), row);
  std::optional<v1::Interval> interval = IntervalOf(row);
  if (claim.other) {
    ASSIGN_OR_RETURN(const v1::FractionResponse other_answer, Ask(snapshot, where, *claim.other));
    const v1::FractionResponse::Row other = Only(other_answer);
    Fill(*out.mutable_other(), other);
    interval = DifferenceInterval(row.fraction(), interval, other.fraction(), IntervalOf(other));
    if (interval) *out.mutable_difference() = *interval;
  }
  out.set_verdict(Judge(claim.above, claim.limit, interval));
  return absl::OkStatus();
}

// What must be known of runs that ended long before the published ones did.
absl::Status AddNotes(Snapshot& snapshot, const v1::Selection& where,
                      v1::ComparePublishedResponse& response) {
  ASSIGN_OR_RETURN(const Selection selection, ParseSelection(where, "where"));
  ASSIGN_OR_RETURN(const auto steps, ReadTrainingLength(snapshot, selection));
  if (!steps || steps->shortest >= kPublishedSteps) return absl::OkStatus();
  response.add_notes(StrCat(
      "The published networks were trained for ", WithCommas(kPublishedSteps), " steps, these for ",
      WithCommas(steps->shortest),
      steps->longest > steps->shortest ? StrCat(" to ", WithCommas(steps->longest)) : std::string(),
      ": what is not solved here may only not be solved yet."));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CompareQuestion> ParseCompare(const v1::ComparePublishedRequest& request) {
  if (!request.where().group_by().empty()) {
    return InvalidField("where.group_by", "must be empty: families are the groups");
  }
  RETURN_IF_ERROR(ParseSelection(request.where(), "where").status());
  return CompareQuestion{request.where()};
}

absl::StatusOr<v1::ComparePublishedResponse> AnswerCompare(Snapshot& snapshot,
                                                           const CompareQuestion& question) {
  v1::ComparePublishedResponse response;
  RETURN_IF_ERROR(AddFamilies(snapshot, question.where, response));
  for (const Claim& claim : Claims()) {
    RETURN_IF_ERROR(AddClaim(snapshot, question.where, claim, response));
  }
  RETURN_IF_ERROR(AddNotes(snapshot, question.where, response));
  return response;
}

}  // namespace gridsweep::analysis

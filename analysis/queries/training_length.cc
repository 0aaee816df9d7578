#include "analysis/queries/training_length.h"

#include "analysis/queries/field.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::optional<TrainingLength>> ReadTrainingLength(Snapshot& snapshot,
                                                                 const Selection& selection) {
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  const std::string steps =
      StrCat(FindField("n_epochs")->sql, " * ", FindField("n_grad_steps_per_epoch")->sql);
  const auto rows =
      snapshot.Exec(StrCat(with, " select min(", steps, ")::bigint, max(", steps,
                           ")::bigint from selected s join runs r using (run_id) where ",
                           FindField("n_epochs")->sql, " > 0"),
                    params);
  if (rows.empty() || rows[0][0].is_null()) return std::nullopt;
  return TrainingLength{AsInt(rows[0][0]), AsInt(rows[0][1])};
}

}  // namespace gridsweep::analysis

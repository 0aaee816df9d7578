// The stream of RenderFigure: a panel drawn, as a document or as a picture.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>

#include "analysis/figures/figure.h"
#include "analysis/figures/renderer.h"
#include "analysis/lane_reactors.h"
#include "analysis/queries/database.h"
#include "analysis/result_file.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct FigureQuestion {
  const Panel* panel;
  v1::Selection where;             // checked; without groups
  std::optional<Picture> picture;  // or the document itself
};

// Errors: INVALID_ARGUMENT: no such figure (naming all), groups, and for theory
// a filter or no sweep.
absl::StatusOr<FigureQuestion> ParseRenderFigure(const v1::RenderFigureRequest& request);

// The header, then chunks. What is stored is read in one snapshot.
// Errors of the stream: NOT_FOUND where the selection has nothing for the
// panel, with what it needs and what makes it; those of the panel's questions
// and of Renderer::Render.
std::unique_ptr<StreamJob<v1::RenderFigureResponse>> MakeFigureJob(Database& database,
                                                                   const ResultFiles& files,
                                                                   const Renderer& renderer,
                                                                   FigureQuestion question);

}  // namespace gridsweep::analysis

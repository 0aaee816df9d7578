#include "analysis/render_figure.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "analysis/queries/selection.h"
#include "analysis/queries/sweep_names.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr int kMostReadouts = 256;  // of a sweep

class FigureJob : public StreamJob<v1::RenderFigureResponse> {
 public:
  FigureJob(Database& database, const ResultFiles& files, const Renderer& renderer,
            FigureQuestion question)
      : database_(database),
        files_(files),
        renderer_(renderer),
        question_(std::move(question)) {}

  absl::StatusOr<bool> Step(int thread, std::vector<v1::RenderFigureResponse>& out) override {
    if (computing_) {
      if (computing_->Step()) {
        figure_ = computing_->Take();
        computing_.reset();
        if (!figure_) return NothingToDraw(*question_.panel);
      }
      return true;
    }
    if (!figure_) {
      RETURN_IF_ERROR(question_.panel->draw != nullptr ? Draw(thread) : ReadReadouts(thread));
      return true;
    }
    RETURN_IF_ERROR(Send(out));
    return false;
  }

 private:
  absl::Status Draw(int thread) {
    RETURN_IF_ERROR(database_.Read(
        thread,
        [&](Snapshot& snapshot) -> absl::Status {
          FigureSource source{snapshot, files_, question_.where};
          ASSIGN_OR_RETURN(figure_, question_.panel->draw(source));
          return ReadSweeps(snapshot);
        },
        gone()));
    return figure_ ? absl::OkStatus() : NothingToDraw(*question_.panel);
  }

  absl::Status ReadReadouts(int thread) {
    std::vector<SweepReadouts::Readout> readouts;
    RETURN_IF_ERROR(database_.Read(thread, [&](Snapshot& snapshot) -> absl::Status {
      for (const int64_t sweep_id : question_.where.sweep_ids()) {
        ASSIGN_OR_RETURN(auto found, ReadSweepReadouts(snapshot, sweep_id, kMostReadouts));
        std::ranges::move(found.readouts, std::back_inserter(readouts));
      }
      return ReadSweeps(snapshot);
    }));
    computing_ = question_.panel->compute(std::move(readouts));
    return absl::OkStatus();
  }

  absl::Status ReadSweeps(Snapshot& snapshot) {
    const auto& ids = question_.where.sweep_ids();
    ASSIGN_OR_RETURN(sweeps_, ReadSweepNames(snapshot, {ids.begin(), ids.end()}));
    return absl::OkStatus();
  }

  absl::Status Send(std::vector<v1::RenderFigureResponse>& out) {
    Figure& figure = *figure_;
    const std::string& filter = question_.where.filter();
    figure.notes.push_back(
        StrCat("Drawn from ", sweeps_, filter.empty() ? "" : ", where ", filter, "."));
    auto& header = *out.emplace_back().mutable_header();
    header.set_figure(std::string(question_.panel->id));
    header.set_title(figure.title);
    for (const auto& note : figure.notes) header.add_notes(note);
    if (figure.coverage) *header.mutable_coverage() = *figure.coverage;
    const Json document =
        Document(figure.title, figure.notes, std::move(figure.datasets), figure.view);
    // Names are a user's: bytes that are no UTF-8 are replaced.
    std::string bytes = document.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (question_.picture) {
      ASSIGN_OR_RETURN(bytes, renderer_.Render(bytes, *question_.picture));
    }
    for (size_t at = 0; at < bytes.size(); at += kChunkBytes) {
      out.emplace_back().set_chunk(bytes.substr(at, kChunkBytes));
    }
    return absl::OkStatus();
  }

  Database& database_;
  const ResultFiles& files_;
  const Renderer& renderer_;
  const FigureQuestion question_;
  std::unique_ptr<TheoryFigure> computing_;
  std::optional<Figure> figure_;
  std::string sweeps_;  // by name
};

}  // namespace

absl::StatusOr<FigureQuestion> ParseRenderFigure(const v1::RenderFigureRequest& request) {
  FigureQuestion question{FindPanel(request.figure()), request.where(), std::nullopt};
  if (question.panel == nullptr) {
    std::string ids;
    for (const Panel& panel : Panels()) ids += StrCat(ids.empty() ? "" : ", ", panel.id);
    return InvalidField("figure", StrCat("\"", request.figure(), "\" is not one of ", ids));
  }
  if (!request.where().group_by().empty()) {
    return InvalidField("where.group_by", "must be empty: a panel has its own groups");
  }
  RETURN_IF_ERROR(ParseSelection(request.where(), "where").status());
  if (question.panel->compute != nullptr) {
    if (request.where().sweep_ids().empty()) {
      return InvalidField("where.sweep_ids",
                          StrCat(question.panel->id, " is theory: say of which sweep's readouts"));
    }
    if (!request.where().filter().empty()) {
      return InvalidField("where.filter", StrCat("must be empty: ", question.panel->id,
                                                 " is theory, of a sweep's readouts"));
    }
  }
  switch (request.format()) {
    case v1::RenderFigureRequest::FORMAT_UNSPECIFIED:
    case v1::RenderFigureRequest::FORMAT_VEGA_LITE:
      break;
    case v1::RenderFigureRequest::FORMAT_SVG:
      question.picture = Picture::kSvg;
      break;
    case v1::RenderFigureRequest::FORMAT_PNG:
      question.picture = Picture::kPng;
      break;
    default:
      return InvalidField("format",
                          StrCat("there is no format ", static_cast<int>(request.format())));
  }
  return question;
}

std::unique_ptr<StreamJob<v1::RenderFigureResponse>> MakeFigureJob(Database& database,
                                                                   const ResultFiles& files,
                                                                   const Renderer& renderer,
                                                                   FigureQuestion question) {
  return std::make_unique<FigureJob>(database, files, renderer, std::move(question));
}

}  // namespace gridsweep::analysis

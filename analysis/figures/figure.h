// What a panel is drawn from, and what comes of it.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/vega_lite.h"
#include "analysis/queries/database.h"
#include "common/artifact_store.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Stored results, in one snapshot.
struct FigureSource {
  Snapshot& snapshot;
  const ArtifactStore& artifacts;
  const v1::Selection& where;  // without groups
};

struct Figure {
  std::string title;
  // Numbers of runs and units, methods, what is not reproduced; also below the title.
  std::vector<std::string> notes;
  v1::Coverage coverage;           // of the runs that the panel is about
  Json datasets = Json::object();  // by name
  Json view;
};

// One panel of the poster.
struct Panel {
  std::string_view id;     // "p01"
  std::string_view needs;  // what must be stored: "finished DoS runs"
  // Absent where nothing of what it needs is selected; nullptr for theory.
  absl::StatusOr<std::optional<Figure>> (*draw)(FigureSource& source);
};

// p01 .. p12, in this order.
std::span<const Panel> Panels();
// nullptr when there is none; `id` without regard to case, "P1" is "p01".
const Panel* FindPanel(std::string_view id);

// NOT_FOUND: what the panel needs, and the sweep file that makes it.
absl::Status NothingToDraw(const Panel& panel);

}  // namespace gridsweep::analysis

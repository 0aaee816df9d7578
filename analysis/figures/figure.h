// What a panel is drawn from, and what comes of it.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/vega_lite.h"
#include "analysis/queries/database.h"
#include "analysis/queries/sweep_readouts.h"
#include "analysis/result_file.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Stored results, in one snapshot.
struct FigureSource {
  Snapshot& snapshot;
  const ResultFiles& files;
  const v1::Selection& where;  // without groups
};

struct Figure {
  std::string title;
  // Numbers of runs and units, methods, what is not reproduced; also below the title.
  std::vector<std::string> notes;
  std::optional<v1::Coverage> coverage;  // of the runs that it is about; none for theory
  Json datasets = Json::object();        // by name
  Json view;
};

// A panel of theory, computed readout by readout.
class TheoryFigure {
 public:
  virtual ~TheoryFigure() = default;
  // A fraction of a second's work; true when Take has the figure.
  virtual bool Step() = 0;
  // Absent where the theory covers none of the readouts.
  virtual std::optional<Figure> Take() = 0;
};

// One panel of the poster: either drawn from results or computed.
struct Panel {
  std::string_view id;     // "p01"
  std::string_view needs;  // what must be stored: "finished DoS runs"
  // Absent where nothing of what it needs is selected.
  absl::StatusOr<std::optional<Figure>> (*draw)(FigureSource& source);
  std::unique_ptr<TheoryFigure> (*compute)(std::vector<SweepReadouts::Readout> readouts);
};

// p01 .. p12, in this order.
std::span<const Panel> Panels();
// nullptr when there is none; `id` without regard to case, "P1" is "p01".
const Panel* FindPanel(std::string_view id);

// NOT_FOUND: what the panel needs, and the sweep file that makes it.
absl::Status NothingToDraw(const Panel& panel);

}  // namespace gridsweep::analysis

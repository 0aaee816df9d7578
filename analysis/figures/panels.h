// The panels' drawings, one file each: what each shows is at the top of its file.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <vector>

#include "analysis/figures/figure.h"

namespace gridsweep::analysis {

using DrawnFigure = absl::StatusOr<std::optional<Figure>>;

DrawnFigure DrawP01(FigureSource& source);
DrawnFigure DrawP02(FigureSource& source);
DrawnFigure DrawP04(FigureSource& source);
DrawnFigure DrawP05(FigureSource& source);
DrawnFigure DrawP06(FigureSource& source);
DrawnFigure DrawP07(FigureSource& source);
DrawnFigure DrawP08(FigureSource& source);
DrawnFigure DrawP10(FigureSource& source);
DrawnFigure DrawP11(FigureSource& source);
DrawnFigure DrawP12(FigureSource& source);

// The readouts in the order of their runs.
std::unique_ptr<TheoryFigure> ComputeP03(std::vector<SweepReadouts::Readout> readouts);
std::unique_ptr<TheoryFigure> ComputeP09(std::vector<SweepReadouts::Readout> readouts);

}  // namespace gridsweep::analysis

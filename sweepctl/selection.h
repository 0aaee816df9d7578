// --sweep, --filter and --by: which results a question is about.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "gridsweep/v1/analysis.pb.h"
#include "sweepctl/client.h"
#include "sweepctl/console.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {

struct SelectionFlags {
  std::vector<std::string> sweeps;
  std::string filter;
  std::vector<std::string> by;
};

// `flags` must outlive `verb`.
void AddSelectionFlags(CLI::App& verb, SelectionFlags& flags, bool with_by);
absl::StatusOr<v1::Selection> MakeSelection(Client& client, const SelectionFlags& flags);

// "0.412 [0.31, 0.55]" for people, where there is an interval; programs read the number alone.
Cell WithInterval(double value, bool has_interval, const v1::Interval& interval);
// "Min over ... (unit 1; from rollups, exact)".
std::string BasisText(const v1::Basis& basis);
// Warns on stderr where runs of the selection have no result (yet).
void PrintCoverage(Console& console, const std::vector<v1::Coverage>& groups);

}  // namespace gridsweep::sweepctl

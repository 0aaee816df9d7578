#include "sweepctl/selection.h"

#include <absl/strings/str_format.h>

#include <ostream>

#include "common/strings.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {

void AddSelectionFlags(CLI::App& verb, SelectionFlags& flags, bool with_by) {
  verb.add_option("--sweep", flags.sweeps, "Of these sweeps, by id or name; all by default")
      ->type_name("SWEEP")
      ->expected(1)
      ->take_all();
  verb.add_option("--filter", flags.filter,
                  "Conditions joined by AND, for example 'decoding_error_cm < 10'; "
                  "`sweepctl help filter` lists the fields")
      ->type_name("FILTER");
  if (with_by) {
    verb.add_option(
            "--by", flags.by,
            "Group by these fields, for example readout,activation; see `sweepctl help filter`")
        ->type_name("FIELDS")
        ->expected(1)
        ->take_all()
        ->delimiter(',');
  }
}

absl::StatusOr<v1::Selection> MakeSelection(Client& client, const SelectionFlags& flags) {
  v1::Selection selection;
  ASSIGN_OR_RETURN(const auto ids, client.SweepIds(flags.sweeps));
  for (const int64_t id : ids) selection.add_sweep_ids(id);
  selection.set_filter(flags.filter);
  for (const auto& field : flags.by) selection.add_group_by(field);
  return selection;
}

Cell WithInterval(double value, bool has_interval, const v1::Interval& interval) {
  Cell cell = Real(value, 3);
  if (has_interval) {
    cell.text += absl::StrFormat(" [%.2f, %.2f]", interval.low(), interval.high());
  }
  return cell;
}

std::string BasisText(const v1::Basis& basis) {
  std::string text = basis.definition();
  if (!text.empty() && text.back() == '.') text.pop_back();
  std::string notes = basis.unit().empty() || basis.unit() == "1" ? "" : "in " + basis.unit();
  if (!basis.source().empty()) {
    notes += StrCat(notes.empty() ? "" : "; ", "from ", basis.source());
  }
  if (!basis.exact()) notes += StrCat(notes.empty() ? "" : "; ", "approximate");
  return notes.empty() ? text + "." : StrCat(text, " (", notes, ").");
}

void PrintCoverage(Console& console, const std::vector<v1::Coverage>& groups) {
  v1::Coverage sum;
  for (const auto& c : groups) {
    sum.set_runs_total(sum.runs_total() + c.runs_total());
    sum.set_finished(sum.finished() + c.finished());
    sum.set_diverged(sum.diverged() + c.diverged());
    sum.set_failed(sum.failed() + c.failed());
    sum.set_cancelled(sum.cancelled() + c.cancelled());
    sum.set_running(sum.running() + c.running());
    sum.set_pending(sum.pending() + c.pending());
    sum.set_reused(sum.reused() + c.reused());
  }
  if (sum.reused() > 0) {
    console.err << "Reused: " << WithCommas(sum.reused())
                << " results are those of runs in other sweeps (leave them out: --filter 'reused = "
                   "false').\n";
  }
  if (sum.finished() == sum.runs_total()) return;
  std::string rest;
  const auto add = [&](int64_t n, const char* what) {
    if (n > 0) rest += StrCat(rest.empty() ? "" : ", ", WithCommas(n), " ", what);
  };
  add(sum.diverged(), "diverged");
  add(sum.failed(), "failed");
  add(sum.cancelled(), "cancelled");
  add(sum.running(), "still running");
  add(sum.pending(), "pending");
  console.err << "Incomplete: " << WithCommas(sum.finished()) << " of "
              << WithCommas(sum.runs_total()) << " runs have a result (" << rest << ").\n";
}

}  // namespace gridsweep::sweepctl

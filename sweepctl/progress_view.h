// A sweep's progress as text: bars that are repainted on a terminal, plain
// lines every few seconds elsewhere.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

// Estimates how long is left from progress seen so far.
class RateEstimate {
 public:
  // `done` of `total` at `now`; nothing until some progress was seen.
  std::optional<absl::Duration> Left(double done, double total, absl::Time now);

 private:
  std::optional<std::pair<double, absl::Time>> first_;
};

class ProgressView {
 public:
  // Writes to `out`, in place where `live`.
  ProgressView(const Console& console, std::ostream& out, bool live, std::string title);

  // Shows `update`; plain output at most every `kPlainInterval`.
  void Show(const v1::WatchSweepResponse& update, absl::Time now);
  // Says a line without harming the bars.
  void Say(const std::string& line);
  // The last state stays on the screen.
  void Finish(absl::Time now);

  // The lines of a repaint, without escapes for the cursor.
  std::vector<std::string> Lines(const v1::WatchSweepResponse& update, absl::Time now);

 private:
  static constexpr absl::Duration kPlainInterval = absl::Seconds(5);
  std::string RunLine(const v1::RunProgress& run, absl::Time now);
  // One line, or several where that would not fit the terminal.
  std::vector<std::string> OverallLines(const v1::WatchSweepResponse& update, absl::Time now);
  // Columns that a line may take; no limit where it is not live.
  size_t Width() const;
  void Erase();

  Console console_;
  std::ostream& out_;
  bool live_;
  std::string title_;
  size_t painted_ = 0;
  std::map<int64_t, RateEstimate> runs_;
  RateEstimate overall_;
  std::optional<v1::WatchSweepResponse> last_;
  absl::Time last_plain_ = absl::InfinitePast();
  std::string last_plain_text_;
};

// "[#######-----]", `width` columns in all.
std::string Bar(double fraction, int width);
// "3 succeeded, 1 failed, 2 running, 6 pending".
std::string CountsText(const v1::RunCounts& counts);
// "active", "paused", "stopping", "stopped", "cancelling", "cancelled" or "done".
std::string StatusText(const v1::Sweep& sweep);
// "training": the enum's name without its prefix.
std::string PhaseText(v1::Phase phase);

}  // namespace gridsweep::sweepctl

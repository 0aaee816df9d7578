#include "sweepctl/progress_view.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepctl/output.h"
#include "sweepctl/run_state.h"

namespace gridsweep::sweepctl {
namespace {

constexpr size_t kShownRuns = 24;
constexpr size_t kBar = 30, kShortestBar = 7;  // columns

int64_t Ended(const v1::RunCounts& c) {
  return c.succeeded() + c.diverged() + c.failed() + c.cancelled();
}

double RunFraction(const v1::RunProgress& run) {
  if (run.total_steps() == 0) return 0;
  return std::min(1.0, static_cast<double>(run.step()) / static_cast<double>(run.total_steps()));
}

// Cut to `width` columns: a wrapped line would break repainting.
std::string Fit(const std::string& line, size_t width) {
  size_t columns = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if ((line[i] & 0xC0) == 0x80) continue;
    if (columns++ == width) return line.substr(0, i);
  }
  return line;
}

// `parts` joined by ", ", on as many lines of up to `width` columns as they need.
std::vector<std::string> Wrapped(const std::vector<std::string>& parts, size_t width) {
  std::vector<std::string> lines;
  for (const std::string& part : parts) {
    if (!lines.empty() && DisplayWidth(lines.back()) + 2 + DisplayWidth(part) < width) {
      lines.back() += ", " + part;
    } else {
      if (!lines.empty()) lines.back() += ",";
      lines.push_back("  " + part);
    }
  }
  return lines;
}

std::vector<std::string> CountsParts(const v1::RunCounts& c) {
  std::vector<std::string> parts;
  const auto add = [&](int64_t n, const char* what) {
    if (n > 0) parts.push_back(StrCat(WithCommas(n), " ", what));
  };
  add(c.succeeded(), "succeeded");
  add(c.diverged(), "diverged");
  add(c.failed(), "failed");
  add(c.cancelled(), "cancelled");
  add(c.leased(), "running");
  add(c.backoff(), "to be retried");
  add(c.paused(), "paused");
  add(c.pending(), "pending");
  if (parts.empty()) parts = {"no runs"};
  return parts;
}

std::string Measures(const v1::RunProgress& run) {
  std::string text;
  if (run.has_loss()) text += absl::StrFormat("  loss %.4g", run.loss());
  if (run.has_error_cm()) text += absl::StrFormat("  error %.1f cm", run.error_cm());
  return text;
}

}  // namespace

std::optional<absl::Duration> RateEstimate::Left(double done, double total, absl::Time now) {
  if (!first_) first_ = {done, now};
  const double gained = done - first_->first;
  const double seconds = absl::ToDoubleSeconds(now - first_->second);
  if (gained <= 0 || seconds < 1) return std::nullopt;
  return absl::Seconds((total - done) / gained * seconds);
}

std::string Bar(double fraction, int width) {
  const int inner = std::max(1, width - 2);
  const int full = static_cast<int>(std::floor(std::clamp(fraction, 0.0, 1.0) * inner));
  return StrCat("[", std::string(full, '#'), std::string(inner - full, '-'), "]");
}

std::string StatusText(const v1::Sweep& sweep) {
  const v1::RunCounts& c = sweep.counts();
  if (sweep.has_cancelled_at()) return c.leased() > 0 ? "cancelling" : "cancelled";
  if (sweep.has_stopped_at()) return c.leased() > 0 ? "stopping" : "stopped";
  if (c.pending() + c.backoff() + c.paused() + c.leased() == 0) return "done";
  return sweep.has_paused_at() ? "paused" : "active";
}

std::string PhaseText(v1::Phase phase) {
  if (phase == v1::PHASE_UNSPECIFIED) return "starting";
  return absl::AsciiStrToLower(v1::Phase_Name(phase).substr(std::string("PHASE_").size()));
}

std::string CountsText(const v1::RunCounts& c) { return absl::StrJoin(CountsParts(c), ", "); }

ProgressView::ProgressView(const Console& console, std::ostream& out, bool live, std::string title)
    : console_(console), out_(out), live_(live), title_(Printable(title)) {}

size_t ProgressView::Width() const {
  // The last column stays free: a cursor there would wrap.
  return live_ ? static_cast<size_t>(std::max(20, console_.width - 1)) : std::string::npos;
}

std::string ProgressView::RunLine(const v1::RunProgress& run, absl::Time now) {
  const double fraction = RunFraction(run);
  const std::string percent = absl::StrFormat("%3.0f%%", std::floor(fraction * 100));
  const std::string steps = StrCat(run.step(), "/", run.total_steps());
  std::string ends;
  const auto left = runs_[run.run_id()].Left(static_cast<double>(run.step()),
                                             static_cast<double>(run.total_steps()), now);
  if (left && run.phase() == v1::PHASE_TRAINING) {
    ends = "  " + Span(std::ceil(absl::ToDoubleSeconds(*left))) + " left";
  }
  const std::string line = absl::StrFormat("  run %-6d %-20s %-10s %s %s  %s%s%s", run.run_id(),
                                           run.readout(), PhaseText(run.phase()), Bar(fraction, 18),
                                           percent, steps, Measures(run), ends);
  if (DisplayWidth(line) <= Width()) return line;
  // What is cut on a narrow terminal is the least telling.
  return StrCat("  run ", run.run_id(), " ", percent, ends, "  ", PhaseText(run.phase()), "  ",
                run.readout(), "  ", steps, Measures(run));
}

std::vector<std::string> ProgressView::OverallLines(const v1::WatchSweepResponse& update,
                                                    absl::Time now) {
  const auto& counts = update.counts();
  double done = static_cast<double>(Ended(counts));
  for (const auto& run : update.running()) done += RunFraction(run);
  const double total = static_cast<double>(counts.total());
  const double fraction = total > 0 ? done / total : 0;
  const std::string percent = absl::StrFormat(" %3.0f%%", std::floor(fraction * 100));
  std::vector<std::string> parts = CountsParts(counts);
  const auto left = overall_.Left(done, total, now);
  if (left && Ended(counts) < counts.total()) {
    parts.push_back(Span(std::ceil(absl::ToDoubleSeconds(*left))) + " left");
  }
  const std::string line = StrCat(title_, "  ", Bar(fraction, static_cast<int>(kBar)), percent,
                                  "  ", absl::StrJoin(parts, ", "));
  if (DisplayWidth(line) <= Width()) return {line};
  // The bar takes what the percentage leaves, and the counts get lines of their own.
  std::string title = title_;
  const size_t least = 2 + kShortestBar + percent.size();
  if (DisplayWidth(title) + least > Width()) title = Fit(title, Width() - least);
  const size_t rest = Width() - DisplayWidth(title) - 2 - percent.size();
  std::vector<std::string> lines = {
      StrCat(title, "  ", Bar(fraction, static_cast<int>(std::min<size_t>(kBar, rest))), percent)};
  for (std::string& more : Wrapped(parts, Width())) lines.push_back(std::move(more));
  return lines;
}

std::vector<std::string> ProgressView::Lines(const v1::WatchSweepResponse& update, absl::Time now) {
  std::vector<std::string> lines = OverallLines(update, now);
  size_t shown = 0;
  for (const auto& run : update.running()) {
    if (++shown > kShownRuns) {
      lines.push_back(StrCat("  ... and ", update.running_size() - static_cast<int>(kShownRuns),
                             " more running"));
      break;
    }
    lines.push_back(RunLine(run, now));
  }
  return lines;
}

void ProgressView::Erase() {
  for (; painted_ > 0; --painted_) out_ << "\x1b[1A\x1b[2K";
  out_ << "\r";
}

void ProgressView::Say(const std::string& line) {
  if (live_) Erase();
  out_ << line << "\n";
  if (live_ && last_) Show(*last_, absl::InfinitePast());
  out_.flush();
}

void ProgressView::Show(const v1::WatchSweepResponse& update, absl::Time now) {
  const bool repaint = now == absl::InfinitePast();
  if (live_) Erase();
  if (!repaint) {
    for (const auto& run : update.ended()) {
      out_ << "  run " << run.run_id() << " " << StateText(run.state()) << "  " << run.readout()
           << "  seed " << run.seed() << Measures(run) << "\n";
      runs_.erase(run.run_id());
    }
  }
  last_ = update;
  last_->clear_ended();
  if (live_) {
    for (const auto& line : Lines(*last_, repaint ? absl::Now() : now)) {
      out_ << Fit(line, Width()) << "\n";
      ++painted_;
    }
  } else if (update.done() || now - last_plain_ >= kPlainInterval) {
    std::string text;
    for (const auto& line : Lines(*last_, now)) text += line + "\n";
    if (text != last_plain_text_) out_ << text;
    last_plain_text_ = text;
    last_plain_ = now;
  }
  out_.flush();
}

void ProgressView::Finish(absl::Time now) {
  if (!live_ && last_ && now != last_plain_) {
    const std::string text = absl::StrJoin(OverallLines(*last_, now), "\n") + "\n";
    if (text != last_plain_text_) out_ << text;
  }
  painted_ = 0;
  out_.flush();
}

}  // namespace gridsweep::sweepctl

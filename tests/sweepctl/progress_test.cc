#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "sweepctl/progress_view.h"
#include "sweepctl/sweep_text.h"

namespace gridsweep::sweepctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Screen {
  std::istringstream in;
  std::ostringstream out, err;
  Console console{in, out, err};
};

v1::WatchSweepResponse Half() {
  v1::WatchSweepResponse update;
  auto* counts = update.mutable_counts();
  counts->set_total(4);
  counts->set_succeeded(1);
  counts->set_leased(1);
  counts->set_pending(2);
  auto* run = update.add_running();
  run->set_run_id(12);
  run->set_readout("DoS");
  run->set_phase(v1::PHASE_TRAINING);
  run->set_step(100);
  run->set_total_steps(400);
  run->set_loss(5.4321);
  run->set_error_cm(41.23);
  return update;
}

TEST(Bar, IsFullOnlyAtTheEnd) {
  EXPECT_EQ(Bar(0, 12), "[----------]");
  EXPECT_EQ(Bar(0.99, 12), "[#########-]");
  EXPECT_EQ(Bar(1, 12), "[##########]");
  EXPECT_EQ(Bar(7, 12), "[##########]");
}

TEST(RateEstimate, FollowsFromWhatWasSeen) {
  RateEstimate estimate;
  const absl::Time start = absl::FromUnixSeconds(1000);
  EXPECT_EQ(estimate.Left(100, 400, start), std::nullopt);
  EXPECT_EQ(estimate.Left(200, 400, start + absl::Seconds(10)), absl::Seconds(20));
}

TEST(ProgressView, ShowsOverallThenEachRunningRun) {
  Screen screen;
  ProgressView view(screen.console, screen.out, false, "sweep 3");
  const auto lines = view.Lines(Half(), absl::FromUnixSeconds(1000));
  ASSERT_EQ(lines.size(), 2u);
  // One run done and a quarter of another, of four.
  EXPECT_THAT(lines[0], HasSubstr(" 31%  1 succeeded, 1 running, 2 pending"));
  EXPECT_THAT(lines[1], HasSubstr("run 12"));
  EXPECT_THAT(lines[1], HasSubstr(" 25%  100/400  loss 5.432  error 41.2 cm"));
}

TEST(ProgressView, InAPipeWritesNoEscapesAndNotTooOften) {
  Screen screen;
  ProgressView view(screen.console, screen.out, false, "sweep 3");
  const absl::Time start = absl::FromUnixSeconds(1000);
  view.Show(Half(), start);
  const size_t once = screen.out.str().size();
  EXPECT_GT(once, 0u);
  view.Show(Half(), start + absl::Seconds(1));
  EXPECT_EQ(screen.out.str().size(), once);
  view.Show(Half(), start + absl::Seconds(10));
  EXPECT_EQ(screen.out.str().find('\x1b'), std::string::npos);
}

TEST(ProgressView, OnATerminalRepaintsInPlaceWithinTheWidth) {
  Screen screen;
  screen.console.width = 40;
  ProgressView view(screen.console, screen.out, true, "sweep 3");
  view.Show(Half(), absl::FromUnixSeconds(1000));
  std::istringstream painted(screen.out.str());
  for (std::string line; std::getline(painted, line);) EXPECT_LT(line.size(), 41u);
  screen.out.str("");
  view.Show(Half(), absl::FromUnixSeconds(1001));
  EXPECT_THAT(screen.out.str(), ::testing::StartsWith("\x1b[1A\x1b[2K\x1b[1A\x1b[2K"));
}

TEST(ProgressView, ANarrowTerminalStillShowsPercentCountsAndTimeLeft) {
  Screen screen;
  screen.console.width = 40;
  ProgressView view(screen.console, screen.out, true, "sweep 3 a-name-of-some-length");
  view.Show(Half(), absl::FromUnixSeconds(1000));
  screen.out.str("");
  auto later = Half();
  later.mutable_running(0)->set_step(200);
  view.Show(later, absl::FromUnixSeconds(1010));
  const std::string text = screen.out.str();
  for (const char* piece : {" 37%", "1 succeeded", "1 running", "2 pending", "1m 40s left",
                            "run 12  50%  20s left", "[#", "sweep 3 a-name"}) {
    EXPECT_THAT(text, HasSubstr(piece));
  }
  std::istringstream painted(text);
  for (std::string line; std::getline(painted, line);) {
    const size_t escapes = line.rfind("\x1b[2K");
    EXPECT_LT(line.size() - (escapes == std::string::npos ? 0 : escapes + 4), 41u) << line;
  }
}

TEST(ProgressView, NamesRunsThatEnded) {
  Screen screen;
  ProgressView view(screen.console, screen.out, false, "sweep 3");
  auto update = Half();
  auto* ended = update.add_ended();
  ended->set_run_id(11);
  ended->set_readout("Gaussian");
  ended->set_state(v1::RUN_STATE_FAILED);
  view.Show(update, absl::FromUnixSeconds(1000));
  EXPECT_THAT(screen.out.str(), HasSubstr("run 11 failed  Gaussian"));
}

TEST(NoticeText, PutsTheCaretUnderTheColumn) {
  Screen screen;
  v1::Notice notice;
  notice.set_severity(v1::Notice::SEVERITY_ERROR);
  notice.set_path("parameters.Ng");
  notice.set_line(2);
  notice.set_column(6);
  notice.set_message("is wrong");
  EXPECT_EQ(NoticeText(screen.console, {"s.yaml", "a: 1\n\tNg: x\n"}, notice),
            "s.yaml:2:6: error: parameters.Ng: is wrong\n"
            "  2 | \tNg: x\n"
            "    | \t    ^\n");
  notice.set_line(0);
  EXPECT_EQ(NoticeText(screen.console, {"s.yaml", ""}, notice),
            "s.yaml: error: parameters.Ng: is wrong\n");
}

}  // namespace
}  // namespace gridsweep::sweepctl

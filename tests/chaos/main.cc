// chaos: a sweep of tiny runs through a schedule of faults.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>

#include "common/strings.h"
#include "tests/chaos/judge.h"
#include "tests/chaos/schedule.h"
#include "tests/chaos/world.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The next fault waits for so many results as are its share, but no longer.
constexpr milliseconds kLongestGap{1200};
// A healed Gridsweep in which nothing ends for so long is stuck: far beyond
// the lease, the longest pause of a client (1 s) and every backoff.
constexpr seconds kStuck{120};

struct Options {
  int runs = 2000, faults = 300;
  double minutes = 0;
  uint64_t seed = 1;
  bool keep = false;
  Shape shape;
};

// The quickest runs that train and score at all. Each round has seeds of its own,
// for equal runs would have equal artifacts.
std::string SweepOf(int round, int runs) {
  return StrCat("name: chaos-", round,
                "\nmethod: grid\nparameters:\n  place_field_values: {value: gaussian}\n"
                "  Ng: {value: 2}\n  Np: {value: 3}\n  batch_size: {value: 1}\n"
                "  sequence_length: {value: 1}\n  n_epochs: {value: 1}\n"
                "  n_grad_steps_per_epoch: {value: 150}\n  eval_batches: {value: 1}\n"
                "  eval_sequence_length: {value: 1}\n  bin_side_in_m: {value: 0.55}\n"
                "  chance_units: {value: 0}\n  seed: {min: ",
                int64_t{round} * runs, ", max: ", int64_t{round + 1} * runs - 1,
                ", distribution: int_uniform}\ngridsweep:\n"
                // Killed processes count; no run may end for them.
                "  max_attempts: 1000\n");
}

class Chaos {
 public:
  Chaos(const Options& options, const fs::path& directory)
      : options_(options), directory_(directory), world_(directory, options.shape) {}

  // False when something was not as it must be.
  bool Run() {
    if (!world_.targets().artifacts) {
      std::printf("LEFT OUT: faults of the artifact directory; this process may not mount\n");
    }
    const auto end = Clock::now() + seconds(static_cast<int64_t>(60 * options_.minutes));
    for (int round = 0; round == 0 || (Clock::now() < end && Good()); ++round) Round(round);
    if (Good()) world_.Stop();
    for (const std::string& complaint : world_.complaints()) {
      std::printf("FAULT: %s\n", complaint.c_str());
    }
    return Good();
  }

 private:
  bool Good() const { return world_.complaints().empty(); }

  void Round(int round) {
    const uint64_t seed = options_.seed + static_cast<uint64_t>(round);
    const auto start = Clock::now();
    world_.Note(StrCat("round ", round, ", seed ", seed));
    const fs::path file = directory_ / "sweep.yaml";
    std::ofstream(file) << SweepOf(round, options_.runs);
    const auto submitted = world_.Sweepctl({"submit", file, "-o", "name"});
    if (submitted.code != 0) return world_.Complain("submit: " + submitted.err);
    sweep_ = submitted.out.substr(0, submitted.out.find('\n'));
    finished_ = 0;

    Play(DrawSchedule(seed, options_.faults, world_.targets()));
    const int64_t under_fire = finished_;
    world_.Heal();
    WaitForTheEnd();
    if (!Within([&] { return world_.Tick(), world_.Spooled().empty(); }, kStuck)) {
      for (const std::string& left : world_.Spooled()) world_.Complain("left in a spool: " + left);
    }
    Judge(world_, sweep_, options_.runs);
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf(
        "seed %lu: %d faults, %ld results (%ld before the last fault) in %.0f s; attempts:\n%s\n",
        seed, options_.faults, finished_, under_fire, took, Attempts(world_, sweep_).c_str());
    std::fflush(stdout);
  }

  // Notes how far it is now and then, and answers it.
  int64_t Progress() {
    if (Clock::now() < next_look_) return finished_;
    next_look_ = Clock::now() + milliseconds(300);
    if (const int64_t now = Finished(world_, sweep_); now > finished_) {
      finished_ = now;
      world_.Note(StrCat("  ", finished_, " results"));
    }
    return finished_;
  }

  void Play(const std::vector<Fault>& schedule) {
    auto last = Clock::now();
    for (size_t i = 0; i < schedule.size(); ++i) {
      const Fault& fault = schedule[i];
      const auto share =
          static_cast<int64_t>(i) * options_.runs / static_cast<int64_t>(schedule.size());
      const auto due = [&] {
        world_.Tick();
        return Clock::now() > last + fault.gap &&
               (Progress() >= share || Clock::now() > last + kLongestGap) && world_.Break(fault);
      };
      if (!Within(due, kStuck)) world_.Complain("not done: " + Describe(fault));
      last = Clock::now();
    }
  }

  void WaitForTheEnd() {
    for (int64_t before = -1; before < finished_ && finished_ < options_.runs;) {
      before = finished_;
      Within([&] { return world_.Tick(), Progress() > before; }, kStuck);
    }
    if (finished_ < options_.runs) {
      world_.Complain(StrCat("stuck at ", finished_, " results of ", options_.runs));
    }
  }

  const Options options_;
  const fs::path directory_;
  World world_;
  std::string sweep_;
  int64_t finished_ = 0;
  Clock::time_point next_look_{};
};

// Copies the logs of `directory` to where they stay.
void KeepLogs(const fs::path& directory, uint64_t seed) {
  const fs::path kept = fs::path(GRIDSWEEP_BINARY_DIR) / "chaos" / StrCat("seed-", seed);
  fs::create_directories(kept);
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".log") continue;
    fs::copy_file(entry.path(), kept / entry.path().filename(),
                  fs::copy_options::overwrite_existing);
  }
  std::printf("events.log and the programs' logs: %s\n", kept.c_str());
}

int Main(Options options, const std::string& program) {
  const TemporaryDirectory directory;
  bool good = false;
  {
    Chaos chaos(options, directory.path());
    good = chaos.Run() && !::testing::UnitTest::GetInstance()->Failed();
  }
  if (!good || options.keep) KeepLogs(directory.path(), options.seed);
  if (!good) {
    std::printf("FAILED; again with: %s --seed %lu --runs %d --faults %d --workers %d\n",
                program.c_str(), options.seed, options.runs, options.faults, options.shape.workers);
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace gridsweep::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest();
  gridsweep::testing::Options options;
  CLI::App app(
      "Runs a sweep of tiny runs through faults drawn from a seed, and judges what is left.");
  app.add_option("--runs", options.runs, "of the sweep")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--faults", options.faults, "of a sweep")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--minutes", options.minutes,
                 "sweep after sweep for so long, each with the next seed; 0: one")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the faults")->capture_default_str();
  app.add_option("--workers", options.shape.workers, "of 2 slots each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--keep", options.keep, "keep the logs of a good end, too");
  app.footer("Example:\n  chaos --runs 22500 --faults 3000 --seed 7");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return gridsweep::testing::Main(options, argv[0]);
}
